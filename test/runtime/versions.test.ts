import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, test } from 'node:test'
import { checkHaraka, checkNode, nodeWarning } from '../../dist/runtime/versions.js'

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

describe('a Node.js that a certificate can crash', () => {
  const crashing = ['23.11.1', '24.0.0', '24.10.0', '24.21.0', '25.9.0', '26.0.0', '26.10.0']
  const fine = ['22.19.0', '22.23.5', '24.22.1', '24.22.3', '26.12.1', '27.0.0']
  const { engines } = createRequire(import.meta.url)('../../package.json') as {
    readonly engines: { readonly node: string }
  }

  for (const version of crashing) {
    test(`${version} is warned of`, () => {
      assert.match(nodeWarning(version) ?? '', new RegExp(`^Node\\.js ${version} crashes`))
    })
  }
  test('none of them is among the engines of package.json', () => {
    assert.equal(engines.node, '^22.19 || ^24.22 || >=26.12')
  })
  for (const version of fine) {
    test(`${version} is not`, () => {
      assert.equal(nodeWarning(version), undefined)
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
