/**
 * The sub-commands.
 *
 * @module
 */

import { analysisList } from './analysis-list'
import { analysisShow } from './analysis-show'
import { analysisSummary } from './analysis-summary'
import type { Command } from './command'
import { completion } from './completion'
import { explain } from './explain'
import { probe } from './probe'
import { resolver } from './resolver'
import { stsDrop } from './sts-drop'
import { stsRefresh } from './sts-refresh'
import { stsShow } from './sts-show'

export const COMMANDS: readonly Command[] = [
  explain,
  probe,
  resolver,
  stsShow,
  stsRefresh,
  stsDrop,
  analysisList,
  analysisShow,
  analysisSummary,
  completion(() => COMMANDS),
]
