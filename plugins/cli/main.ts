/**
 * From the arguments to a sub-command, and from its answer to what is printed.
 *
 * @module
 */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Answer, Command, ExitCode, Problem, World } from './command'
import { COMMANDS } from './commands'
import { commandHelp, generalHelp } from './help'
import { GENERAL_OPTIONS } from './options'
import { asciiJson, printable, wrap } from './text'

/** Does what the arguments say. Rejects only by a mistake of ours. */
export async function run(args: readonly string[], world: World): Promise<ExitCode> {
  const request = readArguments(args)
  if ('problems' in request) return complain(request, world)
  const { command, operands, options } = request

  if (options.version === true) {
    world.print(version())
    return 0
  }
  if (options.help === true) {
    const help = command === undefined ? generalHelp(request.candidates) : commandHelp(command)
    world.print(help.join('\n'))
    return 0
  }
  if (command === undefined) {
    world.complain(generalHelp(request.candidates).join('\n'))
    return 2
  }
  if (operands.length > command.operands.length || operands.length < needed(command))
    return complain(usage(`usage: outbound-tls ${[...command.name, ...command.operands].join(' ')}`), world)

  const configs = typeof options.configs === 'string' ? options.configs : undefined
  const answer = await command.run({ world, operands, options, configs })
  world.progress('')
  return 'problems' in answer ? complain(answer, world) : print(answer, options.json === true, world)
}

interface Request {
  /** undefined: none is named; `candidates` are those that could have been meant */
  readonly command: Command | undefined
  readonly candidates: readonly Command[]
  readonly operands: readonly string[]
  readonly options: Readonly<Record<string, unknown>>
}

function readArguments(given: readonly string[]): Request | Problem {
  const args = [...given]
  // first leniently, for options may stand before the name of the command that they are for
  const all = Object.assign({}, GENERAL_OPTIONS, ...COMMANDS.map(({ options }) => options)) as typeof GENERAL_OPTIONS
  const { positionals } = parseArgs({ args, options: all, strict: false, allowPositionals: true })
  const command = COMMANDS.find(({ name }) => name.every((word, index) => word === positionals[index]))
  const candidates = COMMANDS.filter(({ name }) => positionals.every((word, index) => word === name[index]))
  if (command === undefined && candidates.length === 0)
    return usage(`there is no command ${printable(positionals.slice(0, 2).join(' '))}`)
  try {
    const options = { ...GENERAL_OPTIONS, ...command?.options }
    const { values } = parseArgs({ args, options, allowPositionals: true })
    return { command, candidates, operands: positionals.slice(command?.name.length), options: values }
  } catch (error) {
    return usage(error instanceof Error ? printable(error.message) : String(error))
  }
}

function usage(problem: string): Problem {
  return {
    code: 2,
    problems: [problem, 'outbound-tls --help lists the commands; each of them has a --help of its own'],
  }
}

function needed({ operands }: Command): number {
  return operands.filter((operand) => !operand.startsWith('[')).length
}

function print(answer: Exclude<Answer, Problem>, asJson: boolean, world: World): ExitCode {
  world.print(asJson ? asciiJson(answer.json) : answer.lines.join('\n'))
  return answer.code
}

function complain({ code, problems }: Problem, world: World): ExitCode {
  for (const problem of problems) for (const line of wrap(problem)) world.complain(line)
  return code
}

function version(): string {
  const manifest = JSON.parse(readFileSync(join(__dirname, '..', '..', 'package.json'), 'utf8')) as { version: string }
  return manifest.version
}
