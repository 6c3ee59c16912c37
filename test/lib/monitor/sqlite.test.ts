import { keepsTheContract } from './contract.ts'
import { sqliteStores } from './facts.ts'

keepsTheContract('SQLite', sqliteStores)
