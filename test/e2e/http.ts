/**
 * Requests by HTTP, each with a connection of its own: in a cluster the next one may be another worker's.
 *
 * @module
 */
import { request, type IncomingHttpHeaders } from 'node:http'

export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface Asked {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** @param origin - `http://127.0.0.1:8080`; the path is sent as it is */
export function ask(origin: string, path: string, { method = 'GET', headers, body }: Asked = {}): Promise<Got> {
  const { hostname, port } = new URL(origin)
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, agent: false, ...(headers && { headers }) }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }))
    })
    sent.on('error', reject).end(body)
  })
}
