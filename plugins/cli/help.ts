/**
 * What `--help` says.
 *
 * @module
 */

import type { Command, Option } from './command'
import { GENERAL_OPTIONS } from './options'
import { columns, wrap } from './text'

const EXIT_CODES = [
  ['0', 'done, and as wished'],
  ['1', 'there is nothing, or it is not as wished'],
  ['2', 'called in a wrong way'],
  ['3', 'the configuration, the store or DNS could not be read'],
] as const

/** What there is. @param commands - those to be listed */
export function generalHelp(commands: readonly Command[]): readonly string[] {
  return [
    'Usage: outbound-tls [-c DIR] [--json] COMMAND ...',
    '',
    'Shows what the outbound TLS of a Haraka knows, and has its workers do things.',
    '',
    'Commands:',
    ...columns(commands.map(({ name, operands, summary }) => [[...name, ...operands].join(' '), summary])),
    '',
    'Options:',
    ...columns(Object.entries(GENERAL_OPTIONS).map(optionRow)),
    '',
    'Exit codes:',
    ...columns(EXIT_CODES),
    '',
    'Examples:',
    ...commands.flatMap(({ examples }) => examples.slice(0, 1)).flatMap(exampleLines),
  ]
}

/** All about one command. */
export function commandHelp({ name, operands, description, examples, options = {} }: Command): readonly string[] {
  return [
    `Usage: ${['outbound-tls', ...name, ...operands].join(' ')} [-c DIR] [--json]`,
    ...description.flatMap((paragraph) => ['', ...wrap(paragraph)]),
    '',
    'Options:',
    ...columns([...Object.entries(options), ...Object.entries(GENERAL_OPTIONS)].map(optionRow)),
    '',
    'Examples:',
    ...examples.flatMap(exampleLines),
  ]
}

function optionRow([name, { short, value, help }]: [string, Option]): readonly [string, string] {
  const long = value === undefined ? `--${name}` : `--${name} ${value}`
  return [short === undefined ? `    ${long}` : `-${short}, ${long}`, help]
}

function exampleLines([line, what]: readonly [string, string]): readonly string[] {
  return [`  outbound-tls ${line}`, ...wrap(what, '      ')]
}
