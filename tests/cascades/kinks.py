"""Kinks of row results inside sums."""
from softmax import *
at("sink_in_map", ", sink[P] : f32", "O[P,F] : f32", SC+"X[p]=max[m] S[p,m]\nN[p,m]=exp(S[p,m]-max(X[p],sink[p]))\nD[p]=exp(sink[p]-max(X[p],sink[p]))+sum[m] N[p,m]\nO[p,f]=sum[m] N[p,m]/D[p]*V[m,f]", lambda i: dict(O=sm(np.concatenate([S_(i), i.sink[:,None]],1))[:,:-1]@i.V), ins=lambda r: qkv(r, sink=n(r,7)*5), passes=("M",3,1))
at("guarded_max", "", "O[P,F] : f32", SC[:-1]+" where m < 3*p - 4\nX[p]=max[m] S[p,m]\nN[p,m]=exp(S[p,m]-(if X[p] == -inf then 0 else X[p]))\nD[p]=sum[m] N[p,m]\nO[p,f]=(sum[m] N[p,m]*V[m,f])/max(D[p], 0.0000000001)", lambda i: O(sm(S_(i),np.arange(37)[None]<3*np.arange(7)[:,None]-4),i), passes=("M",2,1))
at("clamp_denom", "", "O[P,F] : f32", SC+"N[p,m]=relu(S[p,m])\nD[p]=sum[m] N[p,m]\nO[p,f]=sum[m] N[p,m]/max(D[p],0.001)*V[m,f]", lambda i: (lambda N: O(N/np.maximum(N.sum(1,keepdims=True),1e-3),i))(np.maximum(S_(i),0)), passes=("M",2,1))
at("abs_denom", "", "O[P,F] : f32", SC+"D[p]=sum[m] S[p,m]\nA[p,m]=S[p,m]/max(abs(D[p]),1)\nO[p,f]=A[p,m]*V[m,f]", lambda i: (lambda N: O(N/np.maximum(abs(N.sum(1,keepdims=True)),1),i))(S_(i)), passes=("M",2,1))
