import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import * as views from '../../dist/views/index.js'
import { kept } from '../lib/tlsrpt/received/ground.ts'
import { policy } from '../lib/tlsrpt/parsing/corpus/specimen.ts'
import { DESTINATION, FAILURE, listedPolicy, NOW, reportEntry, RESOLVER, WAITING } from './things.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/json.md'), 'utf8')

/** The fields that the tables of a section list. */
function listed(heading: string): readonly string[] {
  const [, section = ''] = page.split(new RegExp(`\\n#+ ${heading}\\n`))
  const rows = (section.split(/\n#+ /)[0] ?? '').matchAll(/^\| (`[^|]*`) +\|/gm)
  return [...rows].flatMap(([, names = '']) => [...names.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name)).sort()
}

const failure = { id: '', at: NOW, failure: { type: 'sts-policy-invalid', text: '' } } as const
const received = views.receivedReportView(kept('1', { policies: [policy('sts', { successes: 1 })] }))
const resolver = views.resolverView(RESOLVER)

const objects: Readonly<Record<string, readonly (object | null | undefined)[]>> = {
  Policy: [views.policyView(listedPolicy(), NOW)],
  'Failed fetch': [views.fetchFailureView(failure)],
  Destination: [views.destinationView(DESTINATION)],
  'What was last seen': [views.destinationView(DESTINATION).refused],
  'Messages that wait': [views.waitingDomainView(WAITING), views.waitingMessageView({ ...WAITING, id: '1' })],
  Resolver: [resolver, resolver.servers[0]],
  Report: [views.reportView(reportEntry())],
  'Received report': [received, received.policies[0]],
  Failure: [views.failureView(FAILURE)],
}

describe('docs/json.md', () => {
  for (const [heading, parts] of Object.entries(objects))
    test(`lists the fields under "${heading}", and no others`, () => {
      const fields = new Set(parts.flatMap((part) => Object.keys(part ?? {})))
      assert.deepEqual([...new Set(listed(heading))], [...fields].sort())
    })
})
