/**
 * What Redis does as a whole for the ledger of reports. A server whose memory is full refuses a script at its first write that takes
 * memory, so that one comes first: nothing has changed then. Scripts make up names of keys, so they need a server that has all of them.
 *
 * @module
 */

import { defineScript } from '../store'
import { BY_DOMAIN, DIGITS, DUE, FIELDS, LEASE, REPORT, STATES, stateKey } from './redis-keys'

/** Whether somebody has the lease still. */
const IS_HELD = `
local function isHeld(holder, fence)
  local lease = redis.call('HMGET', '${LEASE}', 'holder', 'fence')
  return lease[1] == holder and lease[2] == fence
end
`

/** The end of a report, wherever it is named. */
const REMOVE = `
local function remove(name)
  local rank = string.sub(name, -${DIGITS}) .. '|' .. string.sub(name, 1, -${DIGITS + 2})
  redis.call('UNLINK', '${REPORT}' .. name)
  redis.call('ZREM', '${BY_DOMAIN}', name)
  for _, key in ipairs({${[DUE, ...STATES.map(stateKey)].map((key) => `'${key}'`).join(', ')}}) do
    redis.call('ZREM', key, rank)
  end
end
`

/** Words: holder, now, until. Answer: the fence; nothing where another one has the lease. */
export const TAKE_LEASE = defineScript(`
local lease = redis.call('HMGET', '${LEASE}', 'holder', 'until')
local now, asked, ends = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(lease[2]) or 0
if lease[1] ~= ARGV[1] and ends > now and ends <= now + 2 * (asked - now) then return false end
redis.call('HSET', '${LEASE}', 'holder', ARGV[1], 'until', ARGV[3])
return redis.call('HINCRBY', '${LEASE}', 'fence', lease[1] == ARGV[1] and 0 or 1)
`)

/** Words: holder, fence. */
export const GIVE_LEASE_BACK = defineScript(`
${IS_HELD}
if isHeld(ARGV[1], ARGV[2]) then redis.call('HSET', '${LEASE}', 'until', 0) end
`)

/** Keys: timetables. Words: holder, fence, timetables. Answer: whether the lease is held. */
export const SAVE_TIMETABLES = defineScript(`
${IS_HELD}
if not isHeld(ARGV[1], ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[3])
return 1
`)

/** Keys: those that are scheduled. Words: holder, fence, lifetime; name, rank, due, end, facts of each. Answer: whether the lease is held. */
export const SCHEDULE = defineScript(`
${IS_HELD}
if not isHeld(ARGV[1], ARGV[2]) then return 0 end
for i = 4, #ARGV, 5 do
  local key, rank = '${REPORT}' .. ARGV[i], ARGV[i + 1]
  if redis.call('EXISTS', key) == 0 then
    redis.call('HSET', key, 'state', 'scheduled', 'end', ARGV[i + 3], 'facts', ARGV[i + 4], 'destinations', '[]', 'version', 0)
    redis.call('PEXPIRE', key, ARGV[3])
    redis.call('ZADD', '${DUE}', ARGV[i + 2], rank)
    redis.call('ZADD', '${BY_DOMAIN}', 0, ARGV[i])
    redis.call('ZADD', KEYS[1], 0, rank)
  end
end
for _, key in ipairs({'${DUE}', '${BY_DOMAIN}', KEYS[1]}) do redis.call('PEXPIRE', key, ARGV[3]) end
return 1
`)

/**
 * Keys: report, those in its old state, those in its new one. Words: holder and fence or nothing, version, rank, due or nothing, state,
 * facts, destinations, lifetime, lifetime of what names it; the body where it is another one, or nothing where it is to go. Answer:
 * whether the report has been changed.
 */
export const CHANGE = defineScript(`
${IS_HELD}
${REMOVE}
local holder, fence, version, rank, due, state, facts, destinations, lifetime, longest, body = unpack(ARGV)
if holder ~= '' and not isHeld(holder, fence) then return 0 end
if redis.call('HGET', KEYS[1], 'version') ~= version then return 0 end

redis.call('HSET', KEYS[1], 'state', state, 'facts', facts, 'destinations', destinations)
redis.call('HINCRBY', KEYS[1], 'version', 1)
if body == '' then redis.call('HDEL', KEYS[1], 'body') elseif body then redis.call('HSET', KEYS[1], 'body', body) end
redis.call('PEXPIRE', KEYS[1], lifetime)
if due == '' then redis.call('ZREM', '${DUE}', rank) else redis.call('ZADD', '${DUE}', due, rank) end
if KEYS[2] ~= KEYS[3] then redis.call('ZREM', KEYS[2], rank) end
redis.call('ZADD', KEYS[3], 0, rank)
for _, key in ipairs({'${DUE}', '${BY_DOMAIN}', KEYS[3]}) do redis.call('PEXPIRE', key, longest) end

if state ~= 'not-wanted' then return 1 end
local domain, isLatest = string.sub(rank, ${DIGITS + 2}), true
for _, name in ipairs(redis.call('ZRANGEBYLEX', '${BY_DOMAIN}', '[' .. domain .. '|', '(' .. domain .. '}')) do
  if redis.call('HGET', '${REPORT}' .. name, 'state') == state then
    if not isLatest then remove(name) end
    isLatest = false
  end
end
return 1
`)

/**
 * Keys: those in a state. Words: behind which rank (from the end), up to which, before, at most. Answer: the last one looked at; nothing
 * where there are no more.
 */
export const REMOVE_OLD = defineScript(`
${REMOVE}
local ranks = redis.call('ZREVRANGEBYLEX', KEYS[1], ARGV[1], ARGV[2], 'LIMIT', 0, ARGV[4])
for _, rank in ipairs(ranks) do
  local name = string.sub(rank, ${DIGITS + 2}) .. '|' .. string.sub(rank, 1, ${DIGITS})
  local ends = tonumber(redis.call('HGET', '${REPORT}' .. name, 'end')) or 0
  if ends <= tonumber(ARGV[3]) and not redis.call('ZSCORE', '${DUE}', rank) then remove(name) end
end
return #ranks == tonumber(ARGV[4]) and ranks[#ranks] or ''
`)

/** Words: names of reports that are gone, as far as they are: they have expired, or were evicted. */
export const FORGET = defineScript(`
${REMOVE}
local function isWhole(name)
  local fields = redis.call('HMGET', '${REPORT}' .. name, ${FIELDS.map((field) => `'${field}'`).join(', ')})
  for i = 1, #fields do
    if not fields[i] then return false end
  end
  return true
end
for _, name in ipairs(ARGV) do
  if not isWhole(name) then remove(name) end
end
`)
