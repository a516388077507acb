package ledger

// MessageState is the state of a message to the public ledger (log_messages.state).
type MessageState string

// The states of a message, in their order; a message whose transaction had no effect goes back to claimed.
const (
	MessageClaimed   MessageState = "claimed"   // the message is made, nothing is signed
	MessagePrepared  MessageState = "prepared"  // a signed transaction is stored; it may have been sent
	MessageSubmitted MessageState = "submitted" // a node took the transaction
	MessageReached   MessageState = "reached"   // consensus: sequence number and running hash are known
	MessageConfirmed MessageState = "confirmed" // the mirror node shows the same bytes from our account
	MessageFailed    MessageState = "failed"    // the mirror node contradicts us; a person has to look
)
