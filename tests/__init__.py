"""The mirror of the house: each room's tests stand where the room stands."""
