package sqlite

// Write and Read give tests the way to the database that the nouns and lanes take.
var (
	Write = (*DB).write
	Read  = (*DB).read
)
