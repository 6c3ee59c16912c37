import { describe, test } from 'node:test'
import { sharedInternet } from '../internet/index.ts'
import { assertDeferred, assertDeliveredInClear, assertDeliveredOverTls, assertNoMail } from './far-end.ts'
import { harakaVersions } from './haraka.ts'
import { assertRecorded, mailTo } from './sts-evidence.ts'

// the newest one has all the other tests
for (const version of harakaVersions.slice(0, -1)) {
  describe(`MTA-STS with Haraka ${version}`, () => {
    const net = sharedInternet({ haraka: { version } })

    test('T23: mail goes to hosts that satisfy an enforced policy, after those that do not', async () => {
      net.domain('enforced.test', {
        mx: ['mx1', 'mx2', 'mx3'],
        sts: { mx: ['mx2.enforced.test', 'mx3.enforced.test'] },
      })
      net.server('mx2.enforced.test', { certificate: 'self-signed' })
      await assertDeliveredOverTls(net, await mailTo(net, 'enforced.test'), 'mx3.enforced.test')
      assertNoMail(net, 'mx1.enforced.test', 'mx2.enforced.test')
    })

    test('T25: mail waits where none does', async () => {
      net.domain('violated.test', { sts: {} })
      net.server('mx1.violated.test', { offersTls: false })
      assertDeferred(await mailTo(net, 'violated.test'), '4.7.4', /not offered; MTA-STS: the enforce policy/)
      assertNoMail(net, 'mx1.violated.test')
    })

    test('T26: a policy in testing refuses nothing, and is recorded', async () => {
      net.domain('tested.test', { sts: { mode: 'testing' } })
      net.server('mx1.tested.test', { offersTls: false })
      await assertDeliveredInClear(net, await mailTo(net, 'tested.test'), 'mx1.tested.test')
      await assertRecorded(net, 'tested.test', 'mx1: clear-text; sts starttls-not-supported (starttls-not-offered)')
    })
  })
}
