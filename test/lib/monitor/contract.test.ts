import { engines } from '../../support/engines.ts'
import { monitorContract } from './contract.ts'
import { downgradesContract } from './downgrades.ts'

for (const engine of engines) monitorContract(engine)
for (const engine of engines) downgradesContract(engine)
