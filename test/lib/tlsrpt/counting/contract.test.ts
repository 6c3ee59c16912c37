import { engines } from '../../../support/engines.ts'
import { outcomesContract } from './contract.ts'

for (const engine of engines) outcomesContract(engine)
