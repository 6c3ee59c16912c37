/**
 * Who is let in, and what all others are told: why they see nothing, and what to do about it.
 *
 * @module
 */

import type { IncomingMessage } from 'node:http'
import { admit, isFromOurPage, issueTicket, isToken, setCookie, type Admission } from './access'
import { createLoginLimit } from './login-limit'
import { contextOf, loginPage, messagePage } from './pages/messages'
import { jsonError, type Reply } from './reply'
import { readForm, type Request } from './request'

export type Admitted = Extract<Admission, { readonly admitted: true }>

export interface Gate {
  readonly admission: (request: Request) => Admitted | Reply
  /** The login form has been sent. */
  readonly login: (request: Request, message: IncomingMessage) => Promise<Reply>
  readonly logout: (request: Request) => Reply
}

const NOT_DIRECT =
  'Without a token only direct requests from this machine are answered, for localhost: none that came through a proxy. ' +
  'To look from elsewhere, set token in config/outbound-tls.status.ini.'
const MISSING = 'A token is needed, as "Authorization: Bearer TOKEN". It is in config/outbound-tls.status.ini.'
const WRONG = 'This is not the token in config/outbound-tls.status.ini.'
const ELSEWHERE = 'This form was sent by the page of another site.'
const TOO_MANY = 'Too many wrong tokens came from this address. Try again in a minute.'
const CHALLENGE = { 'WWW-Authenticate': 'Bearer' }

/** @param warn - to the log */
export function createGate(warn: (text: string) => void): Gate {
  const isOverLimit = createLoginLimit(() => performance.now())
  /** @param answer - what is said to a wrong token within the limit */
  const refuseToken = (request: Request, answer: Reply): Reply => {
    const { remoteAddress } = request.visit
    if (isOverLimit(remoteAddress)) return refusal(request, 429, TOO_MANY, { 'Retry-After': '60' })
    warn(`a wrong token came from ${remoteAddress ?? 'somebody'}`)
    return answer
  }

  return {
    admission: (request) => {
      const { visit, settings } = request
      const admission = admit(visit, settings.token, Date.now())
      if (admission.admitted) return admission
      if (admission.why === 'not-direct') return refusal(request, 403, NOT_DIRECT)
      if (admission.why === 'token-missing')
        return request.target === 'page' ? loginPage(settings.path) : refusal(request, 401, MISSING, CHALLENGE)
      return refuseToken(request, refusal(request, 401, WRONG, CHALLENGE))
    },
    login: async (request, message) => {
      const { visit, settings } = request
      const { path, token } = settings
      if (token === undefined) return refusal(request, 404, 'No token is set, so there is nothing to log in to.')
      if (!isFromOurPage(visit)) return refusal(request, 403, ELSEWHERE)
      const form = await readForm(message)
      if (isToken(form?.get('token')?.trim() ?? '', token))
        return redirect(path, { 'Set-Cookie': setCookie(visit, path, issueTicket(token, Date.now())) })
      return refuseToken(request, loginPage(path, WRONG))
    },
    logout: (request) => {
      const { visit, settings } = request
      if (!isFromOurPage(visit)) return refusal(request, 403, ELSEWHERE)
      return redirect(settings.path, { 'Set-Cookie': setCookie(visit, settings.path, undefined) })
    },
  }
}

export function redirect(to: string, headers?: Reply['headers']): Reply {
  return { status: 303, type: 'text/plain', body: `See ${to}\n`, headers: { Location: to, ...headers } }
}

/** An answer without anything to see, in the form that was asked for. */
export function refusal(
  { target, settings }: Request,
  status: number,
  text: string,
  headers?: Reply['headers'],
): Reply {
  if (target !== 'page') return jsonError(status, text, headers)
  return messagePage(contextOf(settings.path), status, text, undefined, headers)
}
