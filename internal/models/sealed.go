package models

import "slices"

// Keeping says what a column is sealed under, which is what has to turn for it to be sealed anew.
type Keeping string

// Under which key a column is.
const (
	ByMaster   Keeping = "master"   // the master keyset: the data keys, and the canary
	ByPlatform Keeping = "platform" // one of the platform's own data keys
	ByTenant   Keeping = "tenant"   // the data key of the row's tenant
)

// SealedColumn is a column that holds sealed values.
type SealedColumn struct {
	Table, Column string
	Keeping       Keeping

	// What a tenant's value is bound to, read from its row x: the parts of a vault.Place, in SQL; for what the master key wraps
	// its owner alone. They say the same as the places in connect; where they do not, nothing opens, and nothing is lost.
	owner, provider, field, version string
}

// SealedColumns is the one list of what is sealed. A test compares it with the schema; turning a key walks it.
func SealedColumns() []SealedColumn {
	const (
		tenant     = `x.tenant_id`
		itself     = `x.id`
		own        = `x.provider`
		connection = `x.connection_id`
		theirs     = `(SELECT c.provider FROM connections c WHERE c.tenant_id = x.tenant_id AND c.id = x.connection_id)`
		never      = `0`
	)
	return []SealedColumn{
		{Table: "vault_canaries", Column: "sealed", Keeping: ByMaster},
		{Table: "platform_keys", Column: "wrapped", Keeping: ByMaster},
		{Table: "tenant_keys", Column: "wrapped", Keeping: ByMaster, owner: tenant},
		{Table: "closings", Column: "parting_key", Keeping: ByMaster, owner: tenant},

		{Table: "endpoint_secrets", Column: "sealed", Keeping: ByPlatform},
		{Table: "factors", Column: "secret_sealed", Keeping: ByPlatform},
		{Table: "tickets", Column: "sealed", Keeping: ByPlatform},

		{"attempts", "verifier_sealed", ByTenant, itself, own, `'verifier'`, never},
		{"attempts", "returned_sealed", ByTenant, itself, own, `'returned'`, never},
		{"attempts", "link_sealed", ByTenant, itself, own, `'link'`, never},
		{"attempts", "kept_sealed", ByTenant, itself, own, `'kept'`, never},
		{"callback_addresses", "token_sealed", ByTenant, itself, theirs, `'callback_token'`, never},
		{"connections", "account_sealed", ByTenant, itself, own, `'account'`, never},
		{"credentials", "sealed", ByTenant, connection, theirs, `'credential'`, `x.version`},
		{"credentials", "previous_sealed", ByTenant, connection, theirs, `'credential'`, `x.previous_version`},
		{"inbox", "body_sealed", ByTenant, itself, own, `'callback_body'`, never},
		{"inbox", "credential_sealed", ByTenant, itself, own, `'callback_credential'`, never},
		{"revocations", "sealed", ByTenant, itself, own, `'revocation'`, never},
		{"snapshots", "data_sealed", ByTenant, connection, theirs, `'data:' || x.block`, `x.version`},
		{"snapshots", "raw_sealed", ByTenant, connection, theirs, `'raw:' || x.block`, `x.version`},
	}
}

// sealedBy gives the columns under one kind of key.
func sealedBy(k Keeping) (columns []SealedColumn) {
	for _, c := range SealedColumns() {
		if c.Keeping == k {
			columns = append(columns, c)
		}
	}
	return columns
}

// tenantsWrapped gives the columns whose keysets belong to a tenant: one a tenant at most, bound to its id.
func tenantsWrapped() []SealedColumn {
	return slices.DeleteFunc(sealedBy(ByMaster), func(c SealedColumn) bool { return c.owner == "" })
}
