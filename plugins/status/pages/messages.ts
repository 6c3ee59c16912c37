/**
 * Pages of those who see nothing: the login form, and why something is not shown.
 *
 * @module
 */

import { STATUS_CODES } from 'node:http'
import { html, type Part } from '../html'
import type { Reply } from '../reply'
import { pageReply, type ViewName } from './frame'
import { said, type Context } from './parts'

export function loginPage(base: string, problem?: string): Reply {
  const body: Part = html`<form class="login" method="post" action="${base}/login">
    ${problem !== undefined && html`<p class="note wrong" role="alert">${problem}</p>`}
    <label for="token">Token</label>
    <div class="row">
      <input
        id="token"
        name="token"
        type="password"
        autocomplete="current-password"
        required
        autofocus
        maxlength="1000"
      /><button>Log in</button>
    </div>
    <p class="faint small">It is in config/outbound-tls.status.ini of this Haraka. A login lasts twelve hours.</p>
  </form>`
  const headers = { 'WWW-Authenticate': 'Bearer' }
  return pageReply(401, { title: 'Log in', body }, contextOf(base), undefined, headers)
}

/**
 * @param status - of HTTP
 * @param view - the view that it stands in; undefined: whoever sees it may not see any
 */
export function messagePage(
  context: Context,
  status: number,
  text: string,
  view?: ViewName,
  headers?: Reply['headers'],
): Reply {
  const page = { title: STATUS_CODES[status] ?? 'Nothing to see', body: html`<p>${said(text, 500)}</p>` }
  return pageReply(status, page, context, view, headers)
}

/** For those who are not let in. */
export function contextOf(base: string): Context {
  return { base, now: Date.now(), isLoggedIn: false }
}
