/**
 * What a sub-command is, what it is given and what it gives back. Each has a file of its own and a line in `commands.ts`.
 *
 * @module
 */

import type { ParseArgsConfig } from 'node:util'

/**
 * How the command ends:
 *
 * - 0 as wished
 * - 1 there is nothing, or it is not as wished
 * - 2 it was called in a wrong way
 * - 3 something could not be read or looked up: the configuration, the store, DNS
 */
export type ExitCode = 0 | 1 | 2 | 3

/** What a sub-command has to say: an answer in both of its forms, or why there is none. */
export type Answer =
  | {
      readonly code: 0 | 1 | 3
      /** for people, line by line; escaped, at most {@link WIDTH} wide but for names */
      readonly lines: readonly string[]
      /** for programs, as docs/command.md has it */
      readonly json: Readonly<Record<string, unknown>>
    }
  | Problem

export interface Problem {
  readonly code: 2 | 3
  readonly problems: readonly string[]
}

/** Columns. */
export const WIDTH = 80

export type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red'
export type Paint = (style: Style, text: string) => string

/** All that is outside of the command. */
export interface World {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** the answer */
  readonly print: (text: string) => void
  /** what is wrong, and what it is waiting for */
  readonly complain: (text: string) => void
  /** what it is waiting for, in one line that the next one replaces, where somebody is watching; the empty text: nothing */
  readonly progress: (text: string) => void
  /** colours a text where the answer goes to a terminal */
  readonly paint: Paint
  /** milliseconds since 1970 */
  readonly now: () => number
  /** monotonic, milliseconds */
  readonly clock: () => number
  readonly sleep: (milliseconds: number) => Promise<unknown>
}

/** One call of a sub-command. */
export interface Call {
  readonly world: World
  readonly operands: readonly string[]
  /** of the sub-command itself */
  readonly options: Readonly<Record<string, unknown>>
  /** `-c`: the Haraka instance */
  readonly configs: string | undefined
}

export interface Command {
  /** the words that it is called by */
  readonly name: readonly string[]
  /** what stands behind the name: `DOMAIN`, `[DOMAIN]`, `bash|zsh|fish` */
  readonly operands: readonly string[]
  /** half a sentence for the list of commands */
  readonly summary: string
  /** for its `--help`: what it does, in paragraphs */
  readonly description: readonly string[]
  /** for its `--help`: what stands behind `outbound-tls`, and what for */
  readonly examples: readonly (readonly [string, string])[]
  /** its own options */
  readonly options?: Readonly<Record<string, Option>>
  readonly run: (call: Call) => Promise<Answer>
}

type ParseArgsOption = NonNullable<ParseArgsConfig['options']>[string]

export interface Option extends Readonly<ParseArgsOption> {
  /** for `--help` */
  readonly help: string
  /** how its value is called there */
  readonly value?: string
  /** the values there are, where they are few */
  readonly values?: readonly string[]
}
