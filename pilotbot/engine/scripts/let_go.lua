-- Give leases back without blame: at a stop, and after a lost connection, when a claim's reply may have been lost with it.
-- ARGV: worker, 'mailbox'|'lane'|'both', then the tokens to keep.  Returns how many were given back
local worker, what, kept, given = ARGV[1] .. '|', ARGV[2], {}, 0
for i = 3, #ARGV do kept[ARGV[i]] = true end
local function ours(token)
  return string.sub(token, 1, #worker) == worker and not kept[token]
end
local owners = what == 'lane' and {} or redis.call('HGETALL', shard('owner'))
for i = 1, #owners, 2 do
  if ours(owners[i + 1]) then
    release(owners[i], now)
    given = given + 1
  end
end
local lanes = what == 'mailbox' and {} or redis.call('HGETALL', shard('lane:owner'))
for i = 1, #lanes, 2 do
  if ours(lanes[i + 1]) then
    release_lane(lanes[i])
    if redis.call('HEXISTS', key('chat', lanes[i]), 'o:pin') == 1 then redis.call('HSET', key('chat', lanes[i]), 'o:unknown', '1') end
    wake_lane(lanes[i], now)
    given = given + 1
  end
end
return given
