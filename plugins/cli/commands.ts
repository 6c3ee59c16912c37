/**
 * The sub-commands.
 *
 * @module
 */

import { analysisList } from './analysis-list'
import { analysisShow } from './analysis-show'
import { analysisSummary } from './analysis-summary'
import type { Command } from './command'
import { explain } from './explain'
import { probe } from './probe'
import { reportList } from './report-list'
import { reportSend } from './report-send'
import { reportShow } from './report-show'
import { reportSuppress } from './report-suppress'
import { resolver } from './resolver'
import { stats } from './stats'
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
  reportList,
  reportShow,
  reportSend,
  reportSuppress,
  stats,
]
