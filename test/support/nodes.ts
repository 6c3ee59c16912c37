/**
 * Other versions of Node.js than the one that runs the tests: what `TEST_NODES` names, paths with colons between them. `.ci/run` sets it.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'

export interface OtherNode {
  readonly path: string
  /** "22.19.0" */
  readonly version: string
}

/** This Node.js, then the others. */
export function allNodes(): readonly OtherNode[] {
  const others = (process.env.TEST_NODES ?? '').split(':').filter((path) => path !== '')
  return [process.execPath, ...others].map((path) => ({
    path,
    version: execFileSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' }).trim(),
  }))
}
