import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { html, markupOf, short, visible } from '../../dist/status/html.js'
import { runs } from '../support/runs.ts'

describe('HTML from templates', () => {
  test('what is put in is text, in elements and in attributes', () => {
    const text = `<script>alert("1")</script>' onload='x' &amp;`
    const shown = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&#39; onload=&#39;x&#39; &amp;amp;'
    assert.equal(markupOf(html`<p title="${text}">${text}</p>`), `<p title="${shown}">${shown}</p>`)
  })

  test('what a template made is markup within another one, also in lists', () => {
    const items = ['a', 'b'].map((name) => html`<li>${name}</li>`)
    assert.equal(
      markupOf(
        html`<ul>
          ${items}
        </ul>`,
      ),
      '<ul>\n<li>a</li><li>b</li>\n</ul>',
    )
  })

  test('nothing is shown for undefined, null and false, and a number is a number', () => {
    assert.equal(markupOf(html`${undefined}${null}${false}${0}`), '0')
  })

  test('what hides or turns text around is made visible', () => {
    assert.equal(
      visible('a\u202eb\u0000c\u200bd\u001b[31m\u2066\ud800\u061c'),
      'a\\u{202e}b\\u{0}c\\u{200b}d\\u{1b}[31m\\u{2066}\\u{d800}\\u{61c}',
    )
    assert.equal(visible('Bücher 日本 🙂\tx\n'), 'Bücher 日本 🙂\tx\n')
  })

  test('a long text says how long it was', () => {
    assert.equal(short('x'.repeat(301)), `${'x'.repeat(300)}… (301 characters)`)
    assert.equal(short('x'.repeat(300)), 'x'.repeat(300))
  })

  test('no text, whatever it is, ends an element or an attribute', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', '\u202e', 'a', '\n') }), (text) => {
        assert.match(markupOf(html`${text}`), /^[^<>"']*$/)
      }),
      { numRuns: runs(200, 2000) },
    )
  })
})
