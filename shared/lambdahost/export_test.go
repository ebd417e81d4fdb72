package lambdahost

// LimitMemory is the first step of every Start function.
var LimitMemory = limitMemory
