/**
 * The plugin at work: from a request to its answer.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import type { HttpServer, Plugin } from '../runtime/haraka'
import { follow, mainFile, statusFile } from '../runtime/config'
import { openSources, type Sources } from './data/sources'
import { createGate, redirect, refusal } from './gate'
import { send, type Reply } from './reply'
import { isReading, readRequest, type Request } from './request'
import { answerTo } from './routes'

export interface Service {
  /** What is wrong with the configuration now. */
  readonly errors: readonly string[]
  readonly serve: (app: HttpServer['http']['app']) => void
  readonly close: () => void
}

export function createService(plugin: Plugin): Service {
  const gate = createGate((text) => plugin.logwarn(text))
  let opened: Sources | undefined
  const sources = (): Sources | undefined => {
    if (main.settings !== undefined) opened ??= openSources(main.settings, plugin)
    return opened
  }
  const close = () => {
    opened?.close()
    opened = undefined
  }
  const main = follow(plugin, mainFile, close)
  const status = follow(plugin, statusFile, close)

  const answer = async (request: Request, message: IncomingMessage): Promise<Reply> => {
    const { visit, settings, target, parts } = request
    const [form = ''] = target === 'page' && parts.length === 1 ? parts : []
    if (form === 'login' || form === 'logout') {
      if (isReading(request)) return redirect(settings.path)
      if (visit.method === 'POST') return form === 'login' ? gate.login(request, message) : gate.logout(request)
    }
    if (!isReading(request)) return refusal(request, 405, 'Nothing can be changed here.', { Allow: 'GET, HEAD' })
    const admission = gate.admission(request)
    if (!('admitted' in admission)) return admission
    const store = sources()
    if (store === undefined) return refusal(request, 503, 'outbound-tls.ini cannot be read: the log says why.')
    return answerTo(request, store, admission)
  }

  const fail = (request: Request, error: unknown): Reply => {
    plugin.logerror(`the page failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
    return refusal(request, 500, 'Something went wrong here: the log says what.')
  }

  return {
    get errors() {
      return [...status.errors, ...main.errors]
    },
    serve: (app) => {
      app.use((message, response, next) => {
        const { settings } = status
        const request = settings && readRequest(message, settings)
        if (request === undefined) return next()
        void answer(request, message)
          .catch((error: unknown) => fail(request, error))
          .then((reply) => send(response, reply))
          .catch((error: unknown) => {
            plugin.logerror(`the page cannot answer: ${String(error)}`) // whatever it is, mail goes on
            response.destroy()
          })
      })
    },
    close,
  }
}
