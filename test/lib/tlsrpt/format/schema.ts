import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'

const schema = JSON.parse(readFileSync(new URL('schema.json', import.meta.url), 'utf8')) as object
const validate = new Ajv({ allErrors: true, strictTypes: false }).compile(schema)

/** Fails unless this is a report by the schema of RFC 8460 §4.4. */
export function assertReport(report: unknown): void {
  validate(report)
  assert.deepEqual(validate.errors ?? [], [])
}
