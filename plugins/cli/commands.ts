/**
 * The sub-commands.
 *
 * @module
 */

import type { Command } from './command'
import { stsDrop } from './sts-drop'
import { stsRefresh } from './sts-refresh'
import { stsShow } from './sts-show'

export const COMMANDS: readonly Command[] = [stsShow, stsRefresh, stsDrop]
