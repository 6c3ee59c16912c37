/**
 * Haraka's processes: one for everything, or a master and its workers.
 *
 * @module
 */

import cluster from 'node:cluster'

/** What Haraka passes to the hooks `init_master` and `init_child`. */
export interface Server {
  readonly cluster?: unknown
}

/** Whether mail is received and delivered here. In a cluster the master does neither. */
export function isWorker(server: Server): boolean {
  return server.cluster === undefined || cluster.isWorker
}
