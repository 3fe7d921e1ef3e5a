// Package postgres keeps the record in a PostgreSQL that several hosts write to and read from: a
// partition a UTC day, dropped when its time is over. Positions have the number of whoever wrote
// them in their low bits, so that hosts never wait for one another. What changes the schema or
// drops a day does so under an advisory lock, on one host at a time.
package postgres
