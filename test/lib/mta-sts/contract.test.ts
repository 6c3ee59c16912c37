import { engines } from '../../support/engines.ts'
import { cacheContract } from './contract.ts'

for (const engine of engines) cacheContract(engine)
