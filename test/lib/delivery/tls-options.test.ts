import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { open, required, serve, summary, verdict } from './client.ts'

describe('an opening session', () => {
  test('TLS options that cannot be used are no failure of the peer: no clear text follows, and nothing is reported', async (t) => {
    const server = await serve(t)
    const opened = await open(t, server, required(), { tlsOptions: () => ({ ciphers: 'NONSENSE' }) })
    assert.equal(summary(opened), 'refused configuration')
    assert.equal(opened.opening.starttls.status, 'not-tried')
  })

  test('TLS options that cannot be made stop a session before STARTTLS is said', async (t) => {
    const server = await serve(t)
    const tlsOptions = () => {
      throw new Error('tls.ini [outbound] ciphers')
    }
    const { opening } = await open(t, server, required(), { tlsOptions })
    assert.match(opening.status === 'refused' ? opening.because.text : '', /: tls\.ini \[outbound\] ciphers$/)
    assert.equal(opening.status === 'refused' && opening.because.status, '4.7.5')
    assert.deepEqual(server.commands, ['EHLO'])
  })

  test('TLS options are only asked for where TLS is offered: a mistake of ours is none for clear text', async (t) => {
    const server = await serve(t, { offersTls: false })
    const tlsOptions = () => {
      throw new Error('not to be asked for')
    }
    assert.equal((await open(t, server, verdict(), { tlsOptions })).opening.status, 'open')
  })
})
