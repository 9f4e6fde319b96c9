-- Lease up to n lanes that are due; a lane whose lease ran out may have posted, so its outcome is unknown. (design: send)
-- ARGV: lane terms, n, take back leases that ran out 0|1.  Returns {list of lane leases, notes}
local LOOKS = 500 -- at lanes that are due: those of a paused number are put off, and must not hide the others
for _, c in ipairs(redis.call('ZRANGE', shard('lane:lease'), '-inf', lease_now, 'BYSCORE', 'LIMIT', 0, ARGV[3] == '1' and 50 or 0)) do
  release_lane(c)
  if redis.call('HEXISTS', key('chat', c), 'o:pin') == 1 then redis.call('HSET', key('chat', c), 'o:unknown', '1') end
  wake_lane(c, now)
end
local terms, leases, notes = terms_of(ARGV[1]), {}, {}
for _, c in ipairs(redis.call('ZRANGE', shard('lane:ready'), '-inf', now, 'BYSCORE', 'LIMIT', 0, LOOKS)) do
  if #leases >= tonumber(ARGV[2]) then break end
  local lease = lease_lane(c, terms, notes)
  if lease then table.insert(leases, lease) end
end
return {leases, notes}
