/**
 * The options of every sub-command.
 *
 * @module
 */

import type { Option } from './command'

export const GENERAL_OPTIONS = {
  configs: {
    type: 'string',
    short: 'c',
    value: 'DIR',
    help: "the Haraka instance, as haraka's own -c; default: HARAKA in the environment, else the current directory",
  },
  json: { type: 'boolean', help: 'the answer as JSON, for programs' },
  help: { type: 'boolean', short: 'h', help: 'this, also for each command' },
  version: { type: 'boolean', short: 'v', help: 'the version of haraka-plugin-outbound-tls' },
} as const satisfies Readonly<Record<string, Option>>
