import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { KeptReport } from '../../dist/lib/tlsrpt/received/index.js'
import { sharedInternet } from '../internet/index.ts'
import { message, multipart, reportPart, textPart } from '../lib/tlsrpt/parsing/mail.ts'
import {
  analysisIni,
  inMailbox,
  keptIn,
  OURS,
  publishKey,
  reportJson,
  reportMail,
  REPORTER,
  signedMail,
  type ReportOptions,
} from './received-reports.ts'

const INI = 'outbound-tls.analysis.ini'
const ADDRESS = `tls-reports@${OURS}`
const STRANGER = { 'X-Relaying': 'no' }

describe('a TLS report that comes by mail', () => {
  const net = sharedInternet({
    haraka: {
      plugins: ['marking', 'mailbox', 'outbound-tls/plugins/analysis', 'outbound-tls'],
      config: { [INI]: analysisIni() },
      logLevel: 'DEBUG',
    },
  })

  /** What the recipient's host gets of a message of a relaying client. */
  const delivered = async (data: Buffer, to: string | readonly string[] = ADDRESS): Promise<string> => {
    net.domain(OURS)
    publishKey(net)
    const outcome = await net.haraka.send({ to, data: data.toString('latin1') })
    assert.equal(outcome.delivered.length, 1)
    return (await net.server(`mx1.${OURS}`).nextMessage()).data
  }
  const submitted = async (
    data: Buffer,
    to: string | readonly string[] = ADDRESS,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<string> => {
    publishKey(net)
    const { uuid } = await net.haraka.submit({
      ...{ from: 'noreply@sender.test', to, data: data.toString('latin1') },
      headers: { ...STRANGER, ...headers },
    })
    return uuid
  }
  /** Hands a stranger's message over. @returns what is in the mailbox then */
  const handedOver = async (...message: Parameters<typeof submitted>): Promise<string | undefined> =>
    inMailbox(net.haraka.folder, await submitted(...message))
  /** Hands it over and waits until its report has been kept. @returns what is logged of it */
  const read = async (data: Buffer): Promise<string> => logged(new RegExp(`${await submitted(data)}?: TLS report `))
  const logged = (pattern: RegExp): Promise<string> => net.haraka.log.waitFor(pattern)
  const withId = async (id: string): Promise<KeptReport[]> =>
    (await keptIn(net.haraka.folder)).filter(({ entry }) => entry.reportId === id)
  const kept = async (id: string): Promise<{ isCounted: boolean; signedBy: string | undefined; failures: number }> => {
    const [{ entry } = assert.fail(`${id} is not kept`)] = await withId(id)
    return { isCounted: entry.isCounted, signedBy: entry.signedBy, failures: entry.failures }
  }
  const reconfigure = async (changes: Parameters<typeof analysisIni>[0]): Promise<void> => {
    assert.ok(await net.haraka.reconfigure(INI, analysisIni(changes)))
  }
  const broken = (id: string): Buffer =>
    message(multipart([textPart, reportPart(Buffer.from(reportJson({ id }).subarray(0, 200)))]))

  describe('counts', () => {
    test('V1: where the domain that reports has signed it, and is logged with its sums', async () => {
      const data = await delivered(await signedMail({ id: 'signed', failures: 3 }))
      assert.doesNotMatch(data, /X-TLS-Report-Error/)
      const line = await logged(/TLS report \w+ of sender\.test for example\.org, sts/)
      assert.match(line, / \[WARN\] .*: 9 sessions succeeded, 3 failed \(certificate-expired 3\)$/)
      assert.deepEqual(await kept('signed'), { isCounted: true, signedBy: REPORTER, failures: 3 })
    })

    test('V1: where other plugins have changed the message meanwhile: the signature is of what came', async () => {
      assert.match((await handedOver(reportMail({ id: 'any' }))) ?? '', /^Subject: \[bent\] /m)
      assert.match(await read(await signedMail({ id: 'bent' })), /of sender\.test .*: 9 sessions succeeded, 0 failed$/)
      assert.deepEqual(await kept('bent'), { isCounted: true, signedBy: REPORTER, failures: 0 })
    })

    test('V5: once, however often it comes', async () => {
      const data = await signedMail({ id: 'repeated', failures: 1 })
      await delivered(data)
      await delivered(data)
      await logged(/TLS report \w+ of sender\.test is here already/)
      assert.deepEqual(await kept('repeated'), { isCounted: true, signedBy: REPORTER, failures: 1 })
    })

    test('V5: though a forgery with its id came before, and another one comes behind it', async () => {
      const forge = (failures: number): Buffer => reportMail({ id: 'guessed', failures })
      await read(forge(77))
      assert.deepEqual(await kept('guessed'), { isCounted: false, signedBy: undefined, failures: 77 })
      assert.match(await read(await signedMail({ id: 'guessed', failures: 1 })), /of sender\.test .* 1 failed/)
      await read(forge(88))
      const failures = (await withId('guessed')).map(({ entry }) => [entry.isCounted, entry.failures])
      assert.deepEqual(failures, [
        [true, 1],
        [false, 77],
      ])
    })
  })

  describe('V1: is kept apart, and wakes nobody', () => {
    const apart = async (options: ReportOptions, data: Buffer, why: RegExp): Promise<void> => {
      const line = await read(data)
      assert.match(line, / \[INFO\] .* 3 failed /)
      assert.match(line, why)
      assert.deepEqual(await kept(options.id), { isCounted: false, signedBy: undefined, failures: 3 })
    }

    test('without a signature', async () => {
      const options = { id: 'unsigned', failures: 3 }
      await apart(options, reportMail(options), /, not counted: not signed$/)
    })

    test('where it was changed behind the signature', async () => {
      const options = { id: 'changed', failures: 3 }
      const data = (await signedMail(options)).toString('latin1').replace('aggregate', 'Aggregate')
      await apart(options, Buffer.from(data, 'latin1'), /not counted: "sender\.test": "body hash did not verify"$/)
    })

    test('where another domain has signed it', async () => {
      const options = { id: 'of-others', failures: 3, domain: 'victim.test' }
      publishKey(net, 'attacker.test')
      await apart(options, await signedMail(options, 'attacker.test'), /signed by attacker\.test, not by the domain of/)
    })

    test('where a part of the body is not signed (l=)', async () => {
      const options = { id: 'length', failures: 3 }
      await apart(options, await signedMail(options, REPORTER, 100), /not counted: "sender\.test": l= \(RFC 8460 3\)$/)
    })
  })

  test('is noted, and no more, where it is about no domain of ours', async () => {
    const policy = { 'policy-type': 'no-policy-found', 'policy-domain': 'elsewhere.test' }
    const summary = { 'total-successful-session-count': 0, 'total-failure-session-count': 5 }
    const line = await read(await signedMail({ id: 'foreign', policies: [{ policy, summary }] }))
    assert.match(line, / \[INFO\] .* of sender\.test is not counted: about no domain of ours \(elsewhere\.test\)$/)
    assert.deepEqual(await kept('foreign'), { isCounted: false, signedBy: REPORTER, failures: 0 })
  })

  test('is not looked for in mail to anybody else', async () => {
    await handedOver(await signedMail({ id: 'elsewhere' }), `someone@${OURS}`)
    await read(await signedMail({ id: 'behind-it' }))
    await kept('behind-it')
    assert.deepEqual(await withId('elsewhere'), [])
  })

  test('appears escaped in the log, and in one line', async () => {
    const line = await read(reportMail({ id: 'evil\r\nid', organization: 'A\r\nB \u001b[31m\u202e' }))
    assert.ok(line.includes('of "A\\u000d\\u000aB \\u001b[31m\\u202e" for'))
  })

  describe('that cannot be read', () => {
    test('V3: is delivered with a header that says so', async () => {
      assert.match(await delivered(broken('cut')), /^X-TLS-Report-Error: malformed-json: [\x20-\x7e]+\r?$/m)
      assert.match((await handedOver(broken('cut'))) ?? '', /^X-TLS-Report-Error: malformed-json: [\x20-\x7e]+\r?$/m)
    })

    test('V6: because it is too large is delivered with a header that says so', async (t) => {
      t.after(() => reconfigure({}))
      await reconfigure({ 'max-size': '64kb' })
      const policies = [{ filler: Array.from({ length: 20_000 }, () => 'xxx') }]
      const data = await handedOver(reportMail({ id: 'large', policies }))
      assert.match(data ?? '', /^X-TLS-Report-Error: (?:element-)?too-large: /m)
    })

    test('V6: in a message that is too large is delivered unread, and that is said', async (t) => {
      t.after(() => reconfigure({}))
      await reconfigure({ 'max-size': '64kb' })
      const filler = { header: { 'Content-Type': 'text/plain' }, body: `${'x'.repeat(70)}\r\n`.repeat(3000) }
      const data = await handedOver(reportMail({ id: 'in-large' }, filler))
      assert.match(data ?? '', /^X-TLS-Report-Error: not-read: too large a message\r?$/m)
      assert.deepEqual(await withId('in-large'), [])
    })

    test('a header that came with a message is removed as forged, however it is written', async () => {
      const headers = { 'X-TLS-Report-Error': 'all is well', 'x-tls-report-error ': 'indeed' }
      const ordinary = Buffer.from('From: a@sender.test\nSubject: Hello\n\nHello.')
      const data = await handedOver(ordinary, ADDRESS, headers)
      assert.doesNotMatch(data ?? '', /tls-report-error/i)
      const other = await handedOver(broken('forged-header'), ADDRESS, headers)
      assert.equal(other?.match(/tls-report-error/gi)?.length, 1)
    })
  })

  describe('with forward = false', () => {
    const swallowing = { forward: false }

    test('goes no further where it was kept, for relaying clients too', async (t) => {
      t.after(() => reconfigure({}))
      await reconfigure(swallowing)
      assert.equal(await handedOver(await signedMail({ id: 'swallowed' })), undefined)
      const { reply } = await net.haraka.submit({
        to: [ADDRESS, `tls-reports@else.${OURS}`],
        data: (await signedMail({ id: 'swallowed-too' })).toString('latin1'),
      })
      assert.match(reply, /TLS report received/)
      assert.deepEqual(await kept('swallowed'), { isCounted: true, signedBy: REPORTER, failures: 0 })
      assert.deepEqual(await kept('swallowed-too'), { isCounted: true, signedBy: REPORTER, failures: 0 })
      assert.equal(
        (await net.haraka.queue()).every((queued) => queued.startsWith('0/0/')),
        true,
      )
    })

    for (const [what, data, to] of [
      ['for other recipients, too', () => signedMail({ id: 'mixed' }), [ADDRESS, `postmaster@${OURS}`]],
      ['that holds no report', () => Promise.resolve(Buffer.from('Subject: Hello\n\nHello.')), [ADDRESS]],
      ['with a report that cannot be read', () => Promise.resolve(broken('unread')), [ADDRESS]],
      [
        'with a report that cannot be read beside one that can',
        () => Promise.resolve(reportMail({ id: 'beside' }, reportPart(Buffer.from('{"policies":[')))),
        [ADDRESS],
      ],
    ] as const)
      test(`a message ${what} is delivered`, async (t) => {
        t.after(() => reconfigure({}))
        await reconfigure(swallowing)
        assert.notEqual(await handedOver(await data(), to), undefined)
      })

    test('is delivered where the store is down, so that it is not lost', async (t) => {
      const main = 'outbound-tls.ini'
      t.after(async () => {
        await reconfigure({})
        await net.haraka.reconfigure(main, net.settings())
      })
      await reconfigure(swallowing)
      await net.haraka.reconfigure(main, net.settings({ store: { path: 'no/such/folder.db' } }))
      assert.notEqual(await handedOver(await signedMail({ id: 'store-down' })), undefined)
      await logged(/TLS report \w+ could not be kept: /)
    })

    test('V1: is delivered where nobody could look up the key, so that it can count another time', async (t) => {
      t.after(() => reconfigure({}))
      await reconfigure(swallowing)
      net.dns.declare('tlsrpt._domainkey.slow.test', { trouble: 'servfail' })
      const data = await signedMail({ id: 'no-key', domain: 'slow.test' }, 'slow.test')
      assert.notEqual(await handedOver(data), undefined)
    })
  })

  test('a configuration with errors leaves the last good one in force', async (t) => {
    t.after(() => reconfigure({}))
    await net.haraka.reconfigure(INI, 'addresses[]=tls-reports@*\nforward=perhaps\n')
    await logged(/\[CRIT\].*outbound-tls\.analysis\.ini \[main\] forward = "perhaps"/)
    await logged(/\[CRIT\].*the last good settings stay in force/)
    await read(await signedMail({ id: 'still-read' }))
    assert.equal((await kept('still-read')).isCounted, true)
  })

  test('500 of them in a row are all kept, and ordinary mail has its share meanwhile', async (t) => {
    t.after(() => reconfigure({}))
    await reconfigure({ forward: false })
    publishKey(net)
    const LANES = 5
    const mails = await Promise.all(Array.from({ length: 500 }, (_, at) => signedMail({ id: `row-${at}` })))
    let ordinary = 0
    let isOver = false
    const ordinaryLane = async (): Promise<void> => {
      while (!isOver) {
        await net.haraka.submit({ to: `someone@${OURS}`, headers: STRANGER })
        ordinary++
      }
    }
    const reportLane = async (): Promise<void> => {
      for (let data = mails.pop(); data !== undefined; data = mails.pop())
        await net.haraka.submit({ to: ADDRESS, data: data.toString('latin1'), headers: STRANGER })
    }
    const lane = ordinaryLane()
    await Promise.all(Array.from({ length: LANES }, reportLane))
    isOver = true
    await lane
    const store = await keptIn(net.haraka.folder)
    assert.equal(store.filter(({ entry }) => entry.isCounted && entry.reportId.startsWith('row-')).length, 500)
    // as many as one of the lanes of reports, or more, since a report takes longer; half of it is enough
    assert.ok(ordinary >= 500 / LANES / 2, `${ordinary} ordinary messages`)
  })
})
