/**
 * The package under test, installed as npm would: packed once for all test processes, unpacked into each instance.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'

export const repository = join(import.meta.dirname, '..', '..')

/** The user's own, unlike the system's temporary folder, where others leave files that nobody else may touch. */
const cache = join(repository, 'node_modules', '.cache', 'packed')

const run = promisify(execFile)

interface Manifest {
  readonly name: string
  readonly main: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as Manifest

/** Installs the package into `<folder>/node_modules`, its dependencies as links to those of the repository. */
export async function installPackage(folder: string, { dependencies = true } = {}): Promise<void> {
  const modules = join(folder, 'node_modules')
  const target = join(modules, manifest.name)
  mkdirSync(target, { recursive: true })
  await run('tar', ['-xzf', await packed(), '-C', target, '--strip-components=1'])
  const needed = { ...manifest.dependencies, ...manifest.peerDependencies }
  for (const dependency of dependencies ? Object.keys(needed) : []) {
    const link = join(modules, dependency)
    mkdirSync(dirname(link), { recursive: true })
    if (!existsSync(link)) symlinkSync(join(repository, 'node_modules', dependency), link) // another plugin may have brought it
  }
}

/** The tarball's path. Test processes that run side by side share it for as long as nothing in it changes. */
async function packed(): Promise<string> {
  if (!existsSync(join(repository, manifest.main))) throw new Error(`${manifest.main} is missing: npm run build`)
  const tarball = join(cache, `${manifest.name}-${fingerprint()}.tgz`)
  if (existsSync(tarball)) return tarball
  mkdirSync(cache, { recursive: true })
  removeOld()
  const folder = mkdtempSync(join(cache, 'pack-'))
  // without scripts: what is there is tested, it is not built again
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
    cwd: repository,
  })
  renameSync(join(folder, stdout.trim().split('\n').at(-1) ?? ''), tarball)
  rmSync(folder, { recursive: true })
  return tarball
}

/** The tarballs of an hour ago are nobody's any more. */
function removeOld(): void {
  for (const file of globSync(`${manifest.name}-*.tgz`, { cwd: cache })) {
    const path = join(cache, file)
    const modified = statSync(path, { throwIfNoEntry: false })?.mtimeMs // another process may have been faster
    if (modified !== undefined && modified < Date.now() - 3_600_000) rmSync(path, { force: true })
  }
}

function fingerprint(): string {
  const hash = createHash('sha256')
  for (const file of globSync('{package.json,*.md,{config,dist,plugins}/**}', { cwd: repository }).sort()) {
    const { mtimeMs, size } = statSync(join(repository, file))
    hash.update(`${file} ${mtimeMs} ${size}\n`)
  }
  return hash.digest('hex').slice(0, 16)
}
