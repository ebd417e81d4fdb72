package sqlite

// Write and Read give tests the same access to the database that the store and the lanes have.
var (
	Write = (*DB).write
	Read  = (*DB).read
)
