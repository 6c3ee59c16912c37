import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { createHostListTest, type OursTest } from '../../dist/analysis/our-domains.js'
import { policy } from '../lib/tlsrpt/parsing/corpus/specimen.ts'

function filesIn(t: TestContext, files: Readonly<Record<string, string>>): { folder: string; test: () => OursTest } {
  const folder = mkdtempSync(join(tmpdir(), 'config-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return { folder, test: createHostListTest(folder) }
}

const about = (domain: string) => policy('sts', { domain })

describe('V4: the domains that mail is taken for', () => {
  test('are those of host_list, host_list_regex and me, as core reads them', (t) => {
    const { test } = filesIn(t, {
      host_list: '# ours\nExample.ORG\r\n\n ; not this\n  example.com  \n',
      host_list_regex: '.*\\.customers\\.test\nexample-[0-9]+\\.test\n',
      me: 'mail.example.net\n',
    })
    const isOurs = test()
    for (const domain of ['example.org', 'example.com', 'a.customers.test', 'example-7.test', 'mail.example.net'])
      assert.ok(isOurs(about(domain)), domain)
    for (const domain of ['not', 'example.net', 'a.example.org', 'customers.test', 'example-7.test.evil', 'ours'])
      assert.ok(!isOurs(about(domain)), domain)
    assert.ok(isOurs(policy('tlsa', { domain: 'mx.example.org' })))
    assert.ok(isOurs(policy('tlsa', { domain: 'mx.a.customers.test' })))
  })

  test('are none where there are no such files, or none that make sense', (t) => {
    assert.ok(!filesIn(t, {}).test()(about('example.org')))
    assert.ok(!filesIn(t, { host_list_regex: '(\n' }).test()(about('(')))
  })

  test('are others when the files have changed', (t) => {
    const { folder, test } = filesIn(t, { host_list: 'example.org\n' })
    assert.ok(test()(about('example.org')))
    assert.equal(test(), test())
    writeFileSync(join(folder, 'host_list'), 'example.com\nexample.net\n')
    assert.ok(!test()(about('example.org')))
    assert.ok(test()(about('example.net')))
  })
})
