package sqlite

import "nepenthes/shared/store"

// Queries returns the statements that must use an index, so that they stay fast in large tables.
func Queries() []string {
	queries := append([]string{
		getDelivery, addDelivery, changeDelivery, findDelivery, listDue, listHeld, findHeld, listAttempts, endAllLeases,
		putEvent, getEvent, getPlan,
	}, purges...)
	for _, webhookID := range []string{"", "wh_1"} {
		for _, backward := range []bool{false, true} {
			queries = append(queries, walkQuery(store.Query{Webhook: webhookID, Backward: backward}))
		}
	}
	return queries
}
