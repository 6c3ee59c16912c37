import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseDuration, parseSize } from '../../../dist/lib/settings/index.js'

describe('durations', () => {
  for (const [text, milliseconds] of [
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ] as const) {
    test(`${text} is ${milliseconds} milliseconds`, () => assert.equal(parseDuration(text), milliseconds))
  }
  for (const text of ['', '30', '5 m', '5M', '1.5h', '-1s', '1h30m', 'm', '1234567890s', '٣s', '5m ; a comment']) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseDuration(text), undefined))
  }
})

describe('sizes', () => {
  for (const [text, bytes] of [
    ['26214400', 26_214_400],
    ['25mb', 26_214_400],
    ['25MB', 26_214_400],
    ['1kb', 1024],
    ['2gb', 2_147_483_648],
    ['0', 0],
  ] as const) {
    test(`${text} is ${bytes} bytes`, () => assert.equal(parseSize(text), bytes))
  }
  for (const text of ['', 'mb', '25 mb', '25m', '1.5mb', '-1', '1e6', '1234567890123']) {
    test(`${JSON.stringify(text)} is none`, () => assert.equal(parseSize(text), undefined))
  }
})
