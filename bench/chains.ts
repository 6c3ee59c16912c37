/**
 * What CPU time it takes to judge the certificates of a hostile server, by DANE and by PKIX, in one turn of the event loop.
 * Beside it: OpenSSL's part of the handshake with the same server, which nobody can bound.
 *
 * @module
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { judgePeer } from '../dist/lib/delivery/index.js'
import { cook, knownAttacks, type Attack } from '../test/lib/dane/hostile.ts'
import { attempt, HOST, settings, sts, tlsa } from '../test/lib/policy/question.ts'
import { pemOf } from '../test/support/certificates.ts'
import { format, median, type Row } from './row.ts'

/** milliseconds */
const LIMIT = 50
const TIMES = 9

export async function benchChains(): Promise<Row[]> {
  const attacks = Object.entries(knownAttacks).map(([what, recipe]) => ({ what, attack: cook(recipe) }))
  const judged = attacks.map(({ what, attack }) => ({ what, attack, cost: costOfJudgement(attack) }))
  const worst = judged.reduce((one, other) => (other.cost > one.cost ? other : one))
  const handshake = await costOfHandshake(worst.attack)
  return [
    {
      what: `chains: CPU of the worst of ${judged.length} hostile ones (${worst.what})`,
      plugin: `${format(worst.cost)} ms`,
      plain: handshake === undefined ? 'no handshake' : `${format(handshake)} ms (OpenSSL's handshake)`,
      ratio: '',
      limit: `at most ${LIMIT} ms`,
      holds: worst.cost <= LIMIT,
    },
  ]
}

const verdict = attempt({
  host: { tlsa: tlsa('usable') },
  domain: { sts: sts('enforce') },
  settings: settings({ daneAndMtaSts: 'both' }),
})

function costOfJudgement({ chain, records }: Attack): number {
  const peer = {
    leaf: chain[0],
    chain: () => chain,
    chainError: undefined,
    protocol: 'TLSv1.3',
    cipher: '',
    keyExchange: undefined,
  }
  const costs = Array.from({ length: TIMES }, () => {
    const before = process.cpuUsage()
    judgePeer(verdict, HOST, peer, records, new Date())
    return since(before)
  })
  return median(costs)
}

function since(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** Undefined where OpenSSL does not want this chain at all. */
async function costOfHandshake({ chain, keyPem }: Attack): Promise<number | undefined> {
  const server = fork(join(import.meta.dirname, 'chains', 'server.ts'))
  try {
    server.send({ cert: chain.map(pemOf).join(''), key: keyPem })
    const [port] = (await once(server, 'message')) as [number]
    const costs: number[] = []
    for (let time = 0; time < TIMES; time++) {
      const before = process.cpuUsage()
      const socket = connect({ host: '127.0.0.1', port, servername: HOST, rejectUnauthorized: false })
      await once(socket, 'secureConnect')
      costs.push(since(before))
      socket.destroy()
    }
    return median(costs)
  } catch {
    return undefined
  } finally {
    server.kill()
  }
}
