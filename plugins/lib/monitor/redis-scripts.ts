/**
 * What Redis does as a whole for the things to look at. Scripts make up names of keys, so they need a server that has all of them.
 *
 * @module
 */

import { defineScript } from '../store'
import { CLOCKS_APART, FAILING_RANK, MOST_DESTINATIONS, MOST_HOSTS, MOST_WAITING } from './facts'

/** Takes a message off the lists. */
const FORGET = `
local function forget(prefix, id)
  local place = redis.call('HGET', prefix .. 'waiting', id)
  if not place then return end
  local domain = string.match(place, '^%d+ %d+ %d+ (.*)$')
  redis.call('HDEL', prefix .. 'waiting', id)
  redis.call('HDEL', prefix .. 'waiting:words', id)
  redis.call('ZREM', prefix .. 'waiting:by-next', id)
  redis.call('ZREM', prefix .. 'waiting:of:' .. domain, id)
  local left = redis.call('ZINCRBY', prefix .. 'waiting:domains', -1, domain)
  if tonumber(left) <= 0 then redis.call('ZREM', prefix .. 'waiting:domains', domain) end
end
`

/**
 * Adds a batch, once: its number is noted first, and that is what a server without memory refuses before anything has changed.
 *
 * Keys: writer, amounts of its machine. Words: prefix, number, lifetime, lifetime of the writer, now; how many amounts, name and value of
 * each; how many levels, day, kind and count of each; how many sightings, domain, place (kind and host), time, words of each; how many
 * changes of what waits, id, since or nothing, next, time, domain, words of each; machine of the resolver or nothing, its state.
 */
export const ADD = defineScript(`${FORGET}
if (tonumber(redis.call('GET', KEYS[1])) or 0) >= tonumber(ARGV[2]) then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])

local prefix, lifetime, latest, at = ARGV[1], ARGV[3], tonumber(ARGV[5]) + ${CLOCKS_APART}, 5
local function word() at = at + 1 return ARGV[at] end
local touched = {}
local function touch(key) touched[key] = true return key end
local function text(number) return string.format('%.0f', number) end

for i = 1, word() do redis.call('HINCRBYFLOAT', touch(KEYS[2]), word(), word()) end

for i = 1, word() do
  local day, kind, count = word(), word(), word()
  redis.call('HINCRBY', touch(prefix .. 'levels:' .. day), kind, count)
  redis.call('ZADD', touch(prefix .. 'days'), day, day)
end

local function dropOldestHost(key)
  local all, oldest, since = redis.call('HGETALL', key), nil, math.huge
  for i = 1, #all, 2 do
    local seen = tonumber(string.match(all[i + 1], '^%d+ '))
    if seen and seen < since then oldest, since = all[i], seen end
  end
  redis.call('HDEL', key, oldest)
end

local ranks, seen = prefix .. 'destinations', prefix .. 'destinations:by-seen'
for i = 1, word() do
  local domain, place, time, words = word(), word(), tonumber(word()), word()
  local key = touch(prefix .. 'destination:' .. domain)
  local last = redis.call('HMGET', key, 'refused', 'delivered')
  local refused, delivered = tonumber(last[1]) or 0, tonumber(last[2]) or 0
  if math.max(refused, delivered) > latest then
    redis.call('UNLINK', key)
    refused, delivered = 0, 0
  end
  local before = redis.call('HGET', key, place)
  if not before or tonumber(string.match(before, '^%d+')) <= time then
    redis.call('HSET', key, place, text(time) .. ' ' .. words)
  end
  if string.sub(place, 1, 1) == '0' then refused = math.max(refused, time) else delivered = math.max(delivered, time) end
  redis.call('HSET', key, 'refused', text(refused), 'delivered', text(delivered))
  local rank = delivered
  if refused > 0 then rank = refused + (refused > delivered and ${FAILING_RANK} or ${FAILING_RANK / 2}) end
  redis.call('ZADD', touch(ranks), text(rank), domain)
  redis.call('ZADD', touch(seen), text(math.max(refused, delivered)), domain)
  while redis.call('HLEN', key) > ${2 * MOST_HOSTS + 2} do dropOldestHost(key) end
end
while redis.call('ZCARD', ranks) > ${MOST_DESTINATIONS} do
  local least = redis.call('ZPOPMIN', ranks)[1]
  redis.call('ZREM', seen, least)
  redis.call('UNLINK', prefix .. 'destination:' .. least)
end

local waiting = prefix .. 'waiting'
for i = 1, word() do
  local id, since, next, time, domain, words = word(), word(), word(), word(), word(), word()
  local known = redis.call('HGET', waiting, id)
  if since == '' then
    forget(prefix, id)
  elseif known or redis.call('HLEN', waiting) < ${MOST_WAITING} then
    if known then since, domain = string.match(known, '^(%d+) %d+ %d+ (.*)$')
    else redis.call('ZINCRBY', touch(waiting .. ':domains'), 1, domain) end
    redis.call('HSET', touch(waiting), id, since .. ' ' .. next .. ' ' .. time .. ' ' .. domain)
    redis.call('HSET', touch(waiting .. ':words'), id, words)
    redis.call('ZADD', touch(waiting .. ':by-next'), next, id)
    redis.call('ZADD', touch(waiting .. ':of:' .. domain), since, id)
  end
end

local machine, state = word(), word()
if machine ~= '' then redis.call('HSET', touch(prefix .. 'resolvers'), machine, state) end
for key in pairs(touched) do redis.call('PEXPIRE', key, lifetime) end
return 1
`)

/**
 * Keys: destinations. Words: rank, how many of that rank are passed over, how many are looked at, part of a name. Answer: how many were
 * looked at, the rank of the last, how many of that rank come before what is next; then name and rank of each that has the part.
 */
export const SCAN = defineScript(`
local piece = redis.call('ZREVRANGEBYSCORE', KEYS[1], ARGV[1], '-inf', 'WITHSCORES', 'LIMIT', ARGV[2], ARGV[3])
local answer, passed = {#piece / 2, piece[#piece] or ARGV[1], 0}, 0
for i = 1, #piece, 2 do
  if piece[i + 1] == piece[#piece] then passed = passed + 1 end
  if string.find(piece[i], ARGV[4], 1, true) then
    answer[#answer + 1] = piece[i]
    answer[#answer + 1] = piece[i + 1]
  end
end
if tonumber(answer[2]) == tonumber(ARGV[1]) then passed = passed + ARGV[2] end
answer[3] = passed
return answer
`)

/** Keys: destinations, those by when they were seen. Words: prefix, before, at most. Answer: how many were removed. */
export const REMOVE_DESTINATIONS = defineScript(`
local old = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
for _, domain in ipairs(old) do
  redis.call('UNLINK', ARGV[1] .. 'destination:' .. domain)
  redis.call('ZREM', KEYS[1], domain)
  redis.call('ZREM', KEYS[2], domain)
end
return #old
`)

/** Words: prefix, the time from which messages still wait, at most. Answer: how many were removed. */
export const REMOVE_WAITING = defineScript(`${FORGET}
local old = redis.call('ZRANGEBYSCORE', ARGV[1] .. 'waiting:by-next', '-inf', '(' .. ARGV[2], 'LIMIT', 0, ARGV[3])
for _, id in ipairs(old) do forget(ARGV[1], id) end
return #old
`)

/** Keys: days, resolvers. Words: prefix, the day before which they are removed, machines whose resolver was last seen long ago. */
export const REMOVE_REST = defineScript(`
local days = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])
for _, day in ipairs(days) do redis.call('UNLINK', ARGV[1] .. 'levels:' .. day) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[2])
for i = 3, #ARGV do redis.call('HDEL', KEYS[2], ARGV[i]) end
return #days
`)
