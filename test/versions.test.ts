import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkHaraka, checkNode } from '../dist/versions.js'

describe('the version of Node.js', () => {
  for (const version of ['22.19.0', '22.20.1', '23.0.0', '24.21.0', '100.0.0', '24.0.0-nightly']) {
    test(`${version} will do`, () => checkNode(version))
  }
  for (const version of ['22.18.9', '22.9.0', '21.99.0', '20.20.2', '8.0.0']) {
    test(`${version} is too old`, () => {
      assert.throws(() => checkNode(version), new RegExp(`needs Node\\.js 22\\.19 or later, this is ${version}`))
    })
  }
})

describe('the version of Haraka', () => {
  for (const version of ['3.0.4', '3.0.5', '3.1.0', '3.3.4', '4.0.0']) {
    test(`${version} will do`, () => checkHaraka(version))
  }
  for (const version of ['3.0.3', '3.0.0', '2.8.28']) {
    test(`${version} is too old`, () => {
      assert.throws(() => checkHaraka(version), new RegExp(`needs Haraka 3\\.0\\.4 or later, this is ${version}`))
    })
  }
})
