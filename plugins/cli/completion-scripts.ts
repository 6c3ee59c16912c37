/**
 * Scripts for shells, made from the commands there are. All walk the words before the cursor in one way: options and
 * their values aside, the words of a command lead on to what may follow.
 *
 * @module
 */

import type { Command, Option } from './command'
import { GENERAL_OPTIONS } from './options'

/** A word that may follow. */
interface Candidate {
  readonly word: string
  readonly help: string
}

/** What may follow the words of a command, complete or not. */
interface Place {
  /** the words so far, with spaces between them; empty at the beginning */
  readonly at: string
  readonly words: readonly Candidate[]
  readonly options: readonly (readonly [string, Option])[]
}

function placesOf(commands: readonly Command[]): readonly Place[] {
  const general = Object.entries<Option>(GENERAL_OPTIONS)
  const beginnings = new Set(commands.flatMap(({ name }) => name.map((_, index) => name.slice(0, index).join(' '))))
  return [
    ...[...beginnings].map((at) => ({ at, words: wordsAt(commands, at), options: general })),
    ...commands.map(({ name, operands, options = {} }) => ({
      at: name.join(' '),
      words: operands.flatMap(valuesOf).map((word) => ({ word, help: '' })),
      options: [...Object.entries(options), ...general],
    })),
  ]
}

/** What stands behind `at` in the names of commands: the last word with its summary, another with what it leads to. */
function wordsAt(commands: readonly Command[], at: string): readonly Candidate[] {
  const depth = at === '' ? 0 : at.split(' ').length
  const here = commands.filter(({ name }) => name.length > depth && name.slice(0, depth).join(' ') === at)
  const byWord = Map.groupBy(here, ({ name }) => name[depth] ?? '')
  return [...byWord].map(([word, those]) => {
    const [only] = those.filter(({ name }) => name.length === depth + 1)
    return { word, help: only?.summary ?? those.map(({ name }) => name.slice(depth + 1).join(' ')).join(', ') }
  })
}

/** "bash|zsh|fish" names its values, "DOMAIN" has none to offer. */
function valuesOf(operand: string): readonly string[] {
  return operand.includes('|') ? operand.split('|') : []
}

function spellings([name, { short }]: readonly [string, Option]): readonly string[] {
  return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`]
}

/** The options that a value follows, each once. */
function withValue(places: readonly Place[]): readonly (readonly [string, Option])[] {
  const options = new Map(places.flatMap(({ options }) => options).filter(([, { type }]) => type === 'string'))
  return [...options]
}

export function bashScript(commands: readonly Command[]): readonly string[] {
  const places = placesOf(commands)
  const values = withValue(places)
  return [
    '# bash completion for outbound-tls',
    '_outbound_tls() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} at= i word next',
    '  COMPREPLY=()',
    '  case $prev in',
    ...values.map((option) => `    ${spellings(option).join('|')}) ${bashValues(option)}; return ;;`),
    '  esac',
    '  for ((i = 1; i < COMP_CWORD; i++)); do',
    '    word=${COMP_WORDS[i]}',
    '    case $word in',
    `      ${values.flatMap(spellings).join('|')}) ((i++)); continue ;;`,
    '      -*) continue ;;',
    '    esac',
    '    next="${at:+$at }$word"',
    '    case $next in',
    `      ${places
      .filter(({ at }) => at !== '')
      .map(({ at }) => quote(at))
      .join('|')}) at=$next ;;`,
    '    esac',
    '  done',
    '  case $at in',
    ...places.map(({ at, words, options }) => `    ${quote(at)}) next=${quote(allWords(words, options))} ;;`),
    '  esac',
    '  COMPREPLY=($(compgen -W "$next" -- "$cur"))',
    '}',
    'complete -F _outbound_tls outbound-tls',
  ]
}

function bashValues([name, { values = [] }]: readonly [string, Option]): string {
  if (values.length > 0) return `COMPREPLY=($(compgen -W ${quote(values.join(' '))} -- "$cur"))`
  return name === 'configs' ? 'COMPREPLY=($(compgen -d -- "$cur"))' : ':'
}

function allWords(words: readonly Candidate[], options: Place['options']): string {
  return [...words.map(({ word }) => word), ...options.flatMap(spellings)].join(' ')
}

export function zshScript(commands: readonly Command[]): readonly string[] {
  const places = placesOf(commands)
  const values = withValue(places)
  return [
    '#compdef outbound-tls',
    '_outbound_tls() {',
    '  local at= next word i',
    '  local -a candidates',
    '  case ${words[CURRENT-1]} in',
    ...values.map((option) => `    ${spellings(option).join('|')}) ${zshValues(option)}; return ;;`),
    '  esac',
    '  for ((i = 2; i < CURRENT; i++)); do',
    '    word=${words[i]}',
    '    case $word in',
    `      ${values.flatMap(spellings).join('|')}) ((i++)); continue ;;`,
    '      -*) continue ;;',
    '    esac',
    '    next="${at:+$at }$word"',
    '    case $next in',
    `      ${places
      .filter(({ at }) => at !== '')
      .map(({ at }) => quote(at))
      .join('|')}) at=$next ;;`,
    '    esac',
    '  done',
    '  case $at in',
    ...places.map(({ at, words, options }) => `    ${quote(at)}) candidates=(${described(words, options)}) ;;`),
    '  esac',
    "  _describe 'outbound-tls' candidates",
    '}',
    'if [ "$funcstack[1]" = _outbound_tls ]; then _outbound_tls "$@"; else compdef _outbound_tls outbound-tls; fi',
  ]
}

function zshValues([name, { values = [] }]: readonly [string, Option]): string {
  if (values.length > 0) return `compadd -- ${values.join(' ')}`
  return name === 'configs' ? '_files -/' : ':'
}

function described(words: readonly Candidate[], options: Place['options']): string {
  const ofOptions = options.flatMap((option) => spellings(option).map((word) => ({ word, help: option[1].help })))
  return [...words, ...ofOptions].map(({ word, help }) => quote(help === '' ? word : `${word}:${help}`)).join(' ')
}

export function fishScript(commands: readonly Command[]): readonly string[] {
  const places = placesOf(commands)
  const known = places.map(({ at }) => quote(at)).join(' ')
  return [
    '# fish completion for outbound-tls',
    'function __outbound_tls_at',
    "    set -l at ''",
    '    set -l skip no',
    '    for word in (commandline -opc)[2..-1]',
    '        if test $skip = yes',
    '            set skip no',
    '            continue',
    '        end',
    '        switch $word',
    `            case ${withValue(places).flatMap(spellings).join(' ')}`,
    '                set skip yes',
    "            case '-*'",
    "            case '*'",
    '                set -l next (string trim -- "$at $word")',
    `                if contains -- $next ${known}`,
    '                    set at $next',
    '                end',
    '        end',
    '    end',
    '    test "$at" = "$argv[1]"',
    'end',
    'complete -c outbound-tls -f',
    ...places.flatMap(fishPlace),
  ]
}

function fishPlace({ at, words, options }: Place): readonly string[] {
  const where = `complete -c outbound-tls -n ${quote(`__outbound_tls_at "${at}"`)}`
  return [
    ...words.map(({ word, help }) => `${where} -a ${quote(word)} -d ${quote(help)}`),
    ...options.map(([name, { short, type, values = [], help }]) => {
      const letter = short === undefined ? '' : ` -s ${short}`
      const what = name === 'configs' ? " -a '(__fish_complete_directories)'" : ` -a ${quote(values.join(' '))}`
      return `${where}${letter} -l ${name}${type === 'string' ? ` -x${what}` : ''} -d ${quote(help)}`
    }),
  ]
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
