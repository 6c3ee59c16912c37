#!/usr/bin/env node
/**
 * The command `outbound-tls`: what it is given, and where its answer goes.
 *
 * @module
 */

import { setTimeout as sleep } from 'node:timers/promises'
import { styleText } from 'node:util'
import type { World } from './command'

/** The oldest Node that has all we need. Older ones fail in ways that nobody would connect with us. */
const NODE = '22.19'

const world: World = {
  cwd: process.cwd(),
  env: process.env,
  print: (text) => void process.stdout.write(`${text}\n`),
  complain: (text) => void process.stderr.write(`${text}\n`),
  progress: (text) => {
    if (process.stderr.isTTY)
      process.stderr.write(`\r\x1b[K${styleText('dim', text.slice(0, 79), { stream: process.stderr })}`)
  },
  // looks whether its stream is a terminal, and at NO_COLOR
  paint: (style, text) => styleText(style, text, { stream: process.stdout }),
  now: Date.now,
  clock: () => performance.now(),
  sleep: (milliseconds) => sleep(milliseconds),
}

async function start(): Promise<void> {
  if (process.versions.node.localeCompare(NODE, 'en', { numeric: true }) < 0) {
    world.complain(`outbound-tls needs Node.js ${NODE} or later, this is ${process.versions.node}`)
    process.exitCode = 3
    return
  }
  // a reader that has seen enough, as head does, is no error
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    process.exit()
  })
  const { run } = await import('./main.js')
  process.exitCode = await run(process.argv.slice(2), world)
}

void start()
