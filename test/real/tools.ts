/**
 * The programs that these tests are about: which of them are here, and what to install for those that are not.
 *
 * Where one is missing its tests are skipped and say so, but never with CI=true: there they fail.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program's package, for those who use apt. */
const packages = {
  unbound: 'unbound',
  nsd: 'nsd',
  'ldns-keygen': 'ldnsutils',
  'ldns-signzone': 'ldnsutils',
  postfix: 'postfix',
  'posttls-finger': 'postfix',
  unshare: 'util-linux',
  'redis-server': 'redis-server',
  chromium: 'chromium',
  dkimverify: 'python3-dkim python3-nacl',
  opendkim: 'opendkim',
  promtool: 'prometheus',
} as const

export type Tool = keyof typeof packages

/** Where administrators' programs are, though an ordinary user's PATH has no such folder. */
const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']

/** The program's path; undefined: it is not installed. */
export function findTool(tool: Tool): string | undefined {
  return folders.map((folder) => join(folder, tool)).find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** The program's path. Throws where it is not installed. */
export function needTool(tool: Tool): string {
  const path = findTool(tool)
  if (path === undefined) throw new Error(reasonToSkip([tool]))
  return path
}

/** For the `skip` option of tests that need these programs. With CI=true nothing is skipped. */
export function skipWithout(...tools: readonly Tool[]): string | false {
  const missing = tools.filter((tool) => findTool(tool) === undefined)
  return missing.length > 0 && !isCi() ? reasonToSkip(missing) : false
}

function reasonToSkip(missing: readonly Tool[]): string {
  const names = [...new Set(missing.map((tool) => packages[tool]))].join(' ')
  return `${missing.join(', ')} not found: apt-get install --no-install-recommends ${names}`
}

/**
 * For the `skip` option of tests with a second opinion by Postfix, which asks the name servers of /etc/resolv.conf, and
 * those at port 53 only. It gets both to itself, in a mount namespace; that takes root.
 */
export function skipSecondOpinion(): string | false {
  const missing = skipWithout('posttls-finger', 'unshare')
  if (missing !== false || isCi() || canHaveOwnResolvConf()) return missing
  return 'only root can give Postfix a resolv.conf and a name server at port 53 of its own: no second opinion'
}

/** For the `skip` option of tests with a Postfix that receives mail: its master wants to be root. */
export function skipPostfixServer(): string | false {
  const missing = skipWithout('postfix')
  if (missing !== false || isCi() || process.getuid?.() === 0) return missing
  return 'only root can start a Postfix'
}

/** Whether this process may listen at port 53, and have a private /etc/resolv.conf. */
export function canHaveOwnResolvConf(): boolean {
  if (process.getuid?.() !== 0) return false
  const unshare = findTool('unshare')
  return unshare !== undefined && spawnSync(unshare, ['--mount', 'true']).status === 0
}

function isCi(): boolean {
  return process.env.CI === 'true'
}
