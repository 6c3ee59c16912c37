import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { privateInternet } from '../internet/index.ts'
import { analysisIni, inMailbox, keptIn, OURS, publishKey, reportMail, signedMail } from './received-reports.ts'

describe('TLS reports that come by mail', () => {
  for (const version of ['3.0', '3.1'] as const)
    test(`are read by Haraka ${version}: one goes no further, the other with what is wrong with it`, async (t) => {
      const net = await privateInternet(t, {
        haraka: {
          version,
          plugins: ['marking', 'mailbox', 'outbound-tls/plugins/analysis'],
          config: { 'outbound-tls.analysis.ini': analysisIni({ forward: false }) },
        },
      })
      publishKey(net)
      const send = (data: string) =>
        net.haraka.submit({ to: `tls-reports@${OURS}`, data, headers: { 'X-Relaying': 'no' } })

      const good = await send((await signedMail({ id: 'good' })).toString('latin1'))
      assert.equal(inMailbox(net.haraka.folder, good.uuid), undefined)
      const [report, ...others] = await keptIn(net.haraka.folder)
      assert.deepEqual([report?.entry.reportId, report?.entry.isCounted, others], ['good', true, []])

      const bad = await send(reportMail({ id: 'bad', successes: -1 }).toString('latin1'))
      assert.match(inMailbox(net.haraka.folder, bad.uuid) ?? '', /^X-TLS-Report-Error: invalid-count: /m)
    })
})
