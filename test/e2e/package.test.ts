import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { assertNothingInClear, sharedInternet } from '../internet/index.ts'
import { dhParameters, iniText } from './instance.ts'
import { installPackage, repository } from './package.ts'
import { end, startProcess } from './process.ts'
import { submit } from './submission.ts'

const run = promisify(execFile)

describe('the package', () => {
  const net = sharedInternet({ haraka: false })

  test('has what an installation needs, and nothing else', async () => {
    const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: repository })
    const packed = (JSON.parse(stdout) as [{ files: { path: string }[] }])[0].files.map(({ path }) => path).sort()
    const sources = globSync('**/*.ts', { cwd: join(repository, 'plugins') }).filter((path) => !path.endsWith('.d.ts'))
    const compiled = sources.map((path) => `dist/${path.replace(/\.ts$/, '.js')}`)
    const documents = ['README.md', 'LICENSE', 'CHANGELOG.md', 'package.json']
    const config = readdirSync(join(repository, 'config')).map((name) => `config/${name}`)
    const pages = readdirSync(join(repository, 'docs')).map((name) => `docs/${name}`) // README and config/ lead to them
    const present = documents.filter((name) => existsSync(join(repository, name)))
    const entrances = globSync('plugins/*/package.json', { cwd: repository })
    assert.deepEqual(
      packed,
      [...compiled, ...config, ...pages, ...present, ...entrances].sort(),
      'is dist/ up to date? npm run clean, build',
    )
  })

  test('names no source map that is not there', () => {
    const compiled = globSync('dist/**/*.js', { cwd: repository })
    for (const path of compiled) assert.doesNotMatch(readFileSync(join(repository, path), 'utf8'), /sourceMappingURL/)
  })

  test('works in a folder that "haraka -i" made, with a line in config/plugins', async (t) => {
    const folder = instanceFolder(t)
    const core = realpathSync(join(repository, 'node_modules', 'Haraka', 'haraka.js'))
    await run(process.execPath, [join(core, '..', 'bin', 'haraka'), '-i', folder])
    await installPackage(folder)
    await delivers(core, folder)
  })

  test('works beside a Haraka that is installed in the same folder', async (t) => {
    const folder = instanceFolder(t)
    const modules = join(folder, 'node_modules')
    mkdirSync(modules)
    for (const name of readdirSync(join(repository, 'node_modules'))) {
      if (name !== 'Haraka') symlinkSync(join(repository, 'node_modules', name), join(modules, name))
    }
    cpSync(realpathSync(join(repository, 'node_modules', 'Haraka')), join(modules, 'Haraka'), { recursive: true })
    const core = join(modules, 'Haraka', 'haraka.js')
    await run(process.execPath, [join(core, '..', 'bin', 'haraka'), '-i', folder])
    await installPackage(folder, { dependencies: false })
    await delivers(core, folder)
  })

  function instanceFolder(t: TestContext): string {
    const folder = mkdtempSync(join(tmpdir(), 'haraka-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  /** A message to a host with TLSA records arrives over TLS, one to a host whose records do not match does not. */
  async function delivers(core: string, folder: string): Promise<void> {
    const write = (name: string, text: string): void => writeFileSync(join(folder, 'config', name), text)
    symlinkSync(join(repository, 'test', 'e2e', 'plugins', 'ground'), join(folder, 'plugins', 'ground'))
    write('plugins', 'ground\noutbound-tls\n')
    write('ground.json', JSON.stringify({ core, resolver: net.dns.endpoint }))
    write('smtp.ini', 'listen=127.0.0.1:0\nnodes=0\n')
    write('outbound.ini', 'local_mx_ok=true\n')
    write('dhparams.pem', dhParameters)
    write('private-root.pem', net.certificates.caPem)
    write('outbound-tls.ini', iniText(net.settings()).replaceAll('{config}', join(folder, 'config')))
    net.domain('example.test', { mx: ['mx1', 'mx2'], signed: true })
    const [wrong, right] = [
      net.server('mx1.example.test', { tlsa: '3 1 1 of other' }),
      net.server('mx2.example.test', { tlsa: '3 1 1' }),
    ]
    await net.ready()

    const { child, port, log } = await startProcess(core, folder, 0, () => undefined)
    try {
      await submit(port, { to: 'one@example.test' })
      assert.equal((await right.nextMessage()).tls, true)
      assert.deepEqual(wrong.messages, [])
      for (const server of [wrong, right]) assertNothingInClear(server)
      await log.waitFor(/Verified TLS connection to mx2\.example\.test/)
    } finally {
      await end(child, 'SIGINT') // before the folder goes
    }
  }
})
