/**
 * `outbound-tls completion SHELL`: a script that completes the command in a shell.
 *
 * @module
 */

import type { Command } from './command'
import { bashScript, fishScript, zshScript } from './completion-scripts'
import { printable } from './text'

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript } as const

/** @param commands - all there are, known when the command is called */
export function completion(commands: () => readonly Command[]): Command {
  return {
    name: ['completion'],
    operands: ['bash|zsh|fish'],
    summary: 'a script that completes this command in a shell',
    description: [
      'Prints a script that teaches a shell to complete commands, options and their values. The command must be ' +
        'found as outbound-tls, as with the package installed globally.',
    ],
    examples: [
      ['completion bash > /etc/bash_completion.d/outbound-tls', 'for bash, with bash-completion'],
      ['completion zsh > ~/.zfunc/_outbound-tls', 'for zsh, with ~/.zfunc in fpath'],
      ['completion fish > ~/.config/fish/completions/outbound-tls.fish', 'for fish'],
    ],
    run: ({ operands: [shell = ''] }) => {
      if (!isShell(shell))
        return Promise.resolve({
          code: 2,
          problems: [`"${printable(shell.slice(0, 100))}" is none of bash, zsh, fish`],
        })
      const script = SCRIPTS[shell](commands())
      return Promise.resolve({ code: 0, lines: script, json: { schema: 1, shell, script: `${script.join('\n')}\n` } })
    },
  }
}

function isShell(text: string): text is keyof typeof SCRIPTS {
  return Object.hasOwn(SCRIPTS, text)
}
