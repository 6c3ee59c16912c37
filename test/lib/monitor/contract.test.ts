import { engines } from '../../support/engines.ts'
import { monitorContract } from './contract.ts'

for (const engine of engines) monitorContract(engine)
