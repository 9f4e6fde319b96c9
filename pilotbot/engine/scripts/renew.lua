-- Prolong leases. ARGV: lease_ms, then c, token of mailboxes; a '-'; then c, token of lanes.  Returns the chats whose lease is lost
local lost, zset, owners = {}, shard('lease'), shard('owner')
local until_ms = lease_now + tonumber(ARGV[1])
local i = 2
while ARGV[i] do
  if ARGV[i] == '-' then
    zset, owners = shard('lane:lease'), shard('lane:owner')
    i = i + 1
  else
    if redis.call('HGET', owners, ARGV[i]) == ARGV[i + 1] then
      redis.call('ZADD', zset, 'XX', until_ms, ARGV[i])
    else
      table.insert(lost, ARGV[i + 1])
    end
    i = i + 2
  end
end
return lost
