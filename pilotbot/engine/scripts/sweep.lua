-- Bury what was held too long, though the contact never writes. ARGV: n.  Returns notes
local notes = {}
for _, c in ipairs(redis.call('ZRANGE', shard('hold:due'), '-inf', now, 'BYSCORE', 'LIMIT', 0, tonumber(ARGV[1]))) do
  sweep_hold(c, notes)
end
return notes
