/**
 * A Haraka instance in a temporary folder, laid out as `haraka -i` does.
 *
 * @module
 */
import { getDiffieHellman } from 'node:crypto'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as der from '../support/der.ts'
import { installPackage, repository } from './package.ts'
import type { GroundSettings } from './protocol.ts'

export type IniValue = string | number | boolean | readonly string[]
/** Sections by name; "main" comes without a heading. */
export type Ini = Readonly<Record<string, Readonly<Record<string, IniValue>>>>
/** Files of the config folder: text as it is, an ini, or what will be JSON (names that end in .json). "{config}" is the folder's path. */
export type ConfigFiles = Readonly<Record<string, string | object>>

/** The plugins of the test ground, see test/e2e/plugins. */
export const groundPlugins = [
  'ground',
  'static-routes',
  'trouble',
  'lenient',
  'forestalling',
  'marking',
  'who-answers',
  'mediator',
  'mailbox',
  'resigning',
]

/** What `haraka -i` copies and the tests have no words of their own for. */
const defaults = ['connection.ini', 'tls.ini', 'outbound.bounce_message', 'outbound.bounce_message_html']

/** Where they are missing, Haraka has openssl compute them, for a minute and more. */
export const dhParameters = dhParametersPem()

export interface Instance {
  readonly folder: string
  readonly writeConfig: (name: string, content: string | object) => void
  readonly remove: () => void
}

/** @param plugins - as config/plugins has them. The package is installed where one of them is from it. */
export async function createInstance(
  plugins: readonly string[],
  config: ConfigFiles,
  ground: GroundSettings,
): Promise<Instance> {
  const folder = mkdtempSync(join(tmpdir(), 'haraka-'))
  for (const name of ['config', 'plugins', 'queue', 'node_modules']) mkdirSync(join(folder, name))
  for (const name of groundPlugins) {
    symlinkSync(join(repository, 'test', 'e2e', 'plugins', name), join(folder, 'plugins', name))
  }
  for (const name of plugins) linkPackage(folder, `haraka-plugin-${name}`)
  if (plugins.some((name) => name.startsWith('outbound-tls'))) await installPackage(folder)

  for (const name of defaults) {
    const source = join(dirname(ground.core), 'config', name)
    if (existsSync(source)) copyFileSync(source, join(folder, 'config', name))
  }
  writeFileSync(join(folder, 'config', 'dhparams.pem'), dhParameters)
  const writeConfig = (name: string, content: string | object): void => {
    const path = join(folder, 'config', name)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, fileText(name, content).replaceAll('{config}', join(folder, 'config')))
  }
  writeConfig('plugins', ['ground', ...plugins, ''].join('\n'))
  writeConfig('ground.json', ground)
  for (const [name, content] of Object.entries(config)) writeConfig(name, content)
  return { folder, writeConfig, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Plugins of others that the repository has. Where it has none of this name, it is core's, or of the test ground. */
function linkPackage(folder: string, name: string): void {
  const source = join(repository, 'node_modules', name)
  if (existsSync(source)) symlinkSync(source, join(folder, 'node_modules', name))
}

function fileText(name: string, content: string | object): string {
  if (typeof content === 'string') return content
  return name.endsWith('.json') ? JSON.stringify(content, null, 2) : iniText(content as Ini)
}

/** Lists become `key[] = value`, a line for each. */
export function iniText(ini: Ini): string {
  return Object.entries(ini)
    .map(([section, keys]) => `[${section}]\n${Object.entries(keys).map(iniLines).join('')}`)
    .join('\n')
}

function iniLines([key, value]: [string, IniValue]): string {
  if (typeof value === 'object') return value.map((one) => `${key}[] = ${one}\n`).join('')
  return `${key} = ${value}\n`
}

/** Lays `changes` over `ini`, key by key. */
export function mergeIni(ini: Ini, changes: Ini = {}): Ini {
  const sections = new Set([...Object.keys(ini), ...Object.keys(changes)])
  return Object.fromEntries([...sections].map((name) => [name, { ...ini[name], ...changes[name] }]))
}

/** The group of RFC 3526 §3. */
function dhParametersPem(): string {
  const prime = getDiffieHellman('modp14').getPrime('hex')
  const content = der.sequence(der.integer(BigInt(`0x${prime}`)), der.integer(2)).toString('base64')
  return `-----BEGIN DH PARAMETERS-----\n${content.replace(/.{64}/g, '$&\n')}\n-----END DH PARAMETERS-----\n`
}
