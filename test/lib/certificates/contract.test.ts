import { engines } from '../../support/engines.ts'
import { knownCertsContract } from './contract.ts'

for (const engine of engines) knownCertsContract(engine)
