/**
 * What the owner of one of the destinations will be told tomorrow, as the command shows it.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { repository } from '../e2e/package.ts'
import { keyFiles, reportSettings } from '../e2e/reporting.ts'
import type { ConfigFiles } from '../e2e/instance.ts'
import type { PrivateInternet } from '../internet/index.ts'

const run = promisify(execFile)

/** What a Haraka needs to report, which nobody in here has asked for. */
export const reporter: ConfigFiles = {
  ...keyFiles,
  'outbound-tls.report.ini': reportSettings({ main: { send: 'daily' } }),
}

/** The command that shows the report on a domain. */
export function showReport(net: PrivateInternet, domain: string): readonly string[] {
  return [join(repository, 'dist', 'cli', 'index.js'), 'report', 'show', domain, '-c', net.haraka.folder]
}

/** The report as it would be by now, line by line. Sessions are counted a moment after they were. */
export async function reportOn(net: PrivateInternet, domain: string): Promise<readonly string[]> {
  for (let patience = 20; ; patience--) {
    try {
      const { stdout } = await run(process.execPath, showReport(net, domain))
      return stdout.trimEnd().split('\n')
    } catch (error) {
      if (patience === 0) throw error
      await sleep(50)
    }
  }
}
