// Package postgres keeps the record of several hosts in a PostgreSQL database, one partition a UTC
// day.
package postgres
